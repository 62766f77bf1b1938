package org.kfac4j.datasets;

import java.io.EOFException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.ZipException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Storage;

/**
 * Images in the binary format of CIFAR-10 and CIFAR-100, plain, gzipped, or inside the official
 * {@code .tar.gz}: one or more files of records without a header. A record is 1 label byte
 * (CIFAR-10) or 2, superclass and class, of which the class counts (CIFAR-100), then 3072 bytes:
 * the red, green and blue channel of a 32×32 image, each row by row.
 *
 * <p>An example's features are [3, 32, 32] in file order, divided by 255, so in [0, 1].
 *
 * <p>Opening a plain file takes its length only; one that is packed is unpacked to count its
 * records, and again up to the end of every range that is read.
 */
public final class CifarImages implements DataSource {
  private static final long serialVersionUID = 1L;

  /** Colours, rows and columns of an image. */
  public static final int CHANNELS = 3;

  public static final int SIDE = 32;

  private static final int PIXELS = CHANNELS * SIDE * SIDE;
  private static final float BYTE_SCALE = 1 / 255f;

  /** The two data sets. */
  public enum Variant {
    CIFAR10(1, 10),
    CIFAR100(2, 100);

    private final int labelBytes;
    private final int classes;

    Variant(int labelBytes, int classes) {
      this.labelBytes = labelBytes;
      this.classes = classes;
    }

    /** How many classes there are. */
    public int classes() {
      return classes;
    }

    private int recordBytes() {
      return labelBytes + PIXELS;
    }

    private String describe() {
      return "%d label byte%s and 3x32x32 pixels".formatted(labelBytes, labelBytes == 1 ? "" : "s");
    }
  }

  /**
   * A file of records.
   *
   * @param member its name inside the archive {@code uri}, empty if it is no archive
   * @param firstId id of its first record
   */
  private record Part(String uri, String member, long firstId, long count) implements Serializable {
    String name() {
      return member.isEmpty() ? uri : uri + "!" + member;
    }
  }

  private final Storage storage;
  private final Variant variant;
  private final List<Part> parts;
  private final ExampleShape shape;

  private CifarImages(Storage storage, Variant variant, List<Part> parts, ExampleShape shape) {
    this.storage = storage;
    this.variant = variant;
    this.parts = parts;
    this.shape = shape;
  }

  /**
   * The records of some files, one after the other.
   *
   * @param files URIs; or members of one archive
   * @param archive URI of a {@code .tar.gz} that holds the files, empty if they are on their own
   * @throws InvalidInputException if a file does not exist, is damaged, or has no records or part
   *     of one
   */
  static CifarImages open(
      Storage storage, Variant variant, String archive, List<String> files, DataTask task)
      throws IOException {
    List<Part> parts = new ArrayList<>();
    long size = 0;
    for (String file : files) {
      Part unread =
          archive.isEmpty() ? new Part(file, "", size, 0) : new Part(archive, file, size, 0);
      long bytes = length(storage, unread);
      InvalidInputException.require(
          bytes > 0 && bytes % variant.recordBytes() == 0,
          "%s: %s: records of %s have %d bytes, the file has %d, which is %d records and %d bytes",
          unread.name(),
          bytes == 0 ? "empty" : "truncated, or not of " + variant,
          variant.describe(),
          variant.recordBytes(),
          bytes,
          bytes / variant.recordBytes(),
          bytes % variant.recordBytes());
      long count = bytes / variant.recordBytes();
      parts.add(new Part(unread.uri(), unread.member(), size, count));
      size += count;
    }
    ExampleShape shape =
        task == DataTask.AUTOENCODER
            ? new ExampleShape(PIXELS, PIXELS, false)
            : new ExampleShape(PIXELS, variant.classes(), true);
    return new CifarImages(storage, variant, List.copyOf(parts), shape);
  }

  private static long length(Storage storage, Part part) throws IOException {
    try (Unpacked in = Unpacked.open(storage, part.uri(), part.member())) {
      return in.isPacked() ? in.skipAll() : storage.length(part.uri());
    } catch (EOFException e) {
      throw new InvalidInputException(part.name() + ": truncated gzip file", e);
    } catch (ZipException e) {
      throw damaged(part, e);
    }
  }

  @Override
  public String name() {
    return parts.get(0).name();
  }

  @Override
  public ExampleShape shape() {
    return shape;
  }

  @Override
  public long size() {
    Part last = parts.get(parts.size() - 1);
    return last.firstId() + last.count();
  }

  /**
   * @throws InvalidInputException if a file has become shorter, is damaged, or has a label that is
   *     not a class
   */
  @Override
  public Examples read(long from, long to) throws IOException {
    int count = Ranges.count(this, from, to);
    float[] features = new float[count * PIXELS];
    int[] labels = new int[count];
    for (Part part : parts) {
      long begin = Math.max(from, part.firstId());
      long end = Math.min(to, part.firstId() + part.count());
      if (begin < end) {
        read(part, begin, end, (int) (begin - from), features, labels);
      }
    }
    return shape.classes()
        ? Examples.classified(from, features, labels)
        : Examples.reconstruction(from, count, features);
  }

  private void read(Part part, long begin, long end, int at, float[] features, int[] labels)
      throws IOException {
    byte[] record = new byte[variant.recordBytes()];
    try (Unpacked in = Unpacked.open(storage, part.uri(), part.member())) {
      in.skip((begin - part.firstId()) * record.length);
      for (int row = at; row < at + end - begin; row++) {
        in.fill(record, record.length);
        labels[row] = label(part, begin + row - at, record);
        int feature = row * PIXELS;
        for (int i = variant.labelBytes; i < record.length; i++) {
          features[feature++] = (record[i] & 0xff) * BYTE_SCALE;
        }
      }
    } catch (EOFException e) {
      throw new InvalidInputException(
          String.format(Locale.ROOT, "%s: truncated: it had %d records", part.name(), part.count()),
          e);
    } catch (ZipException e) {
      throw damaged(part, e);
    }
  }

  private int label(Part part, long id, byte[] record) {
    int label = record[variant.labelBytes - 1] & 0xff;
    InvalidInputException.require(
        label < variant.classes(),
        "%s: label of example %d must be in 0..%d, got %d",
        part.name(),
        id,
        variant.classes() - 1,
        label);
    return label;
  }

  private static InvalidInputException damaged(Part part, ZipException e) {
    return new InvalidInputException(part.name() + ": damaged gzip file: " + e.getMessage(), e);
  }
}
