package org.kfac4j.datasets;

import java.io.EOFException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.zip.ZipException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;

/**
 * A file in the IDX format of MNIST, plain or gzipped: two zero bytes, the elements' type, the
 * number of dimensions, their sizes (int32), the elements; all big-endian. The first dimension
 * counts the examples, the others are one example.
 *
 * <p>Holds what the header says, not the data.
 *
 * @param dimensions sizes, at least one, all positive
 */
record Idx(Storage storage, String uri, Element element, List<Integer> dimensions)
    implements Serializable {
  private static final int MAGIC_BYTES = 4;

  /** A multiple of every element's size. */
  private static final int CHUNK_BYTES = 1 << 16;

  /** One byte of a deflated stream stands for at most this many. */
  private static final long LARGEST_RATIO = 1032;

  /** Types of elements, by the third byte of the file. */
  enum Element {
    UNSIGNED_BYTE(0x08, 1),
    SIGNED_BYTE(0x09, 1),
    SHORT(0x0B, 2),
    INT(0x0C, 4),
    FLOAT(0x0D, 4),
    DOUBLE(0x0E, 8);

    private final int code;
    private final int bytes;

    Element(int code, int bytes) {
      this.code = code;
      this.bytes = bytes;
    }

    boolean isInteger() {
      return this != FLOAT && this != DOUBLE;
    }

    private double next(ByteBuffer buffer) {
      return switch (this) {
        case UNSIGNED_BYTE -> buffer.get() & 0xff;
        case SIGNED_BYTE -> buffer.get();
        case SHORT -> buffer.getShort();
        case INT -> buffer.getInt();
        case FLOAT -> buffer.getFloat();
        case DOUBLE -> buffer.getDouble();
      };
    }
  }

  /** Takes elements in order; {@code position} counts from the start of the range read. */
  interface Sink {
    void accept(int position, double value);
  }

  /**
   * Reads the header. Checks it, and the length of the file: exactly if it is plain, and against
   * the most that gzip can pack if it is gzipped.
   *
   * @throws InvalidInputException if there is no such file, it is not an IDX file, a dimension is
   *     not positive or too large, or the file is too short or too long
   */
  static Idx open(Storage storage, String uri) throws IOException {
    try (Unpacked in = Unpacked.open(storage, uri)) {
      byte[] magic = new byte[MAGIC_BYTES];
      in.fill(magic, MAGIC_BYTES);
      Element element = element(uri, magic);
      int rank = magic[3] & 0xff;
      byte[] sizes = new byte[rank * Integer.BYTES];
      in.fill(sizes, sizes.length);
      var idx = new Idx(storage, uri, element, dimensions(uri, ByteBuffer.wrap(sizes)));
      idx.checkLength(storage.length(uri), in.isPacked());
      return idx;
    } catch (EOFException e) {
      throw new InvalidInputException(uri + ": not an IDX file: it ends within the header", e);
    } catch (ZipException e) {
      throw damaged(uri, e);
    }
  }

  private static Element element(String uri, byte[] magic) {
    for (Element each : Element.values()) {
      if (magic[0] == 0 && magic[1] == 0 && magic[2] == each.code && magic[3] != 0) {
        return each;
      }
    }
    throw new InvalidInputException(
        String.format(
            Locale.ROOT,
            "%s: not an IDX file: magic number must be 0x0000TTDD with type TT one of 08 09 0b 0c"
                + " 0d 0e and DD dimensions, got 0x%08x",
            uri,
            ByteBuffer.wrap(magic).getInt()));
  }

  private static List<Integer> dimensions(String uri, ByteBuffer sizes) {
    var dimensions = new ArrayList<Integer>();
    long width = 1;
    while (sizes.hasRemaining()) {
      int size = sizes.getInt();
      boolean counts = dimensions.isEmpty();
      dimensions.add(size);
      InvalidInputException.require(
          size >= 1, "%s: dimension %d must be at least 1, got %d", uri, dimensions.size(), size);
      width *= counts ? 1 : size;
      // Any count of examples that are this wide is less than 2^31 · 2^28 · 8 bytes: no overflow.
      InvalidInputException.require(
          width <= Ranges.LONGEST_ARRAY / Double.BYTES,
          "%s: an example may have at most %d elements, got dimensions %s",
          uri,
          Ranges.LONGEST_ARRAY / Double.BYTES,
          text(dimensions));
    }
    return List.copyOf(dimensions);
  }

  private void checkLength(long length, boolean gzip) {
    if (gzip) {
      InvalidInputException.require(
          fileBytes() / LARGEST_RATIO <= length,
          "%s: truncated: %s elements need %d bytes, more than %d bytes of gzip can hold",
          uri,
          text(dimensions),
          fileBytes(),
          length);
    } else {
      InvalidInputException.require(
          length == fileBytes(),
          "%s: %s: header and %s elements need %d bytes, the file has %d",
          uri,
          length < fileBytes() ? "truncated" : "longer than it should be",
          text(dimensions),
          fileBytes(),
          length);
    }
  }

  /** Number of examples. */
  long count() {
    return dimensions.get(0);
  }

  /** Elements per example. */
  int width() {
    return dimensions.stream().skip(1).reduce(1, (a, b) -> a * b);
  }

  /** Dimension sizes as text, {@code 60000x28x28}. */
  String text() {
    return text(dimensions);
  }

  private static String text(List<Integer> dimensions) {
    return dimensions.stream().map(String::valueOf).collect(Collectors.joining("x"));
  }

  private long headerBytes() {
    return MAGIC_BYTES + (long) Integer.BYTES * dimensions.size();
  }

  private long exampleBytes() {
    return (long) width() * element.bytes;
  }

  /** Length of the whole file, unpacked. */
  private long fileBytes() {
    return headerBytes() + count() * exampleBytes();
  }

  /**
   * Passes the elements of examples {@code from} (included) to {@code to} (excluded) on. What comes
   * before is skipped, in a gzipped file by unpacking it.
   *
   * @throws InvalidInputException if the file is truncated or damaged before {@code to}, or goes on
   *     after the last example and {@code to} is the end
   */
  void read(long from, long to, Sink sink) throws IOException {
    Unpacked in = Unpacked.open(storage, uri);
    try (in) {
      in.skip(headerBytes() + from * exampleBytes());
      readElements(in, (to - from) * exampleBytes(), sink);
      InvalidInputException.require(
          to < count() || in.atEnd(),
          "%s: longer than it should be: the file goes on after %s elements",
          uri,
          text());
    } catch (EOFException e) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "%s: truncated: it ends after %d of %d examples, %d of %d bytes",
              uri,
              completeExamples(in.position()),
              count(),
              in.position(),
              fileBytes()),
          e);
    } catch (ZipException e) {
      throw damaged(uri, e);
    }
  }

  private void readElements(Unpacked in, long bytes, Sink sink) throws IOException {
    byte[] chunk = new byte[(int) Math.min(bytes, CHUNK_BYTES)];
    int position = 0;
    for (long left = bytes; left > 0; left -= chunk.length) {
      int filled = (int) Math.min(left, chunk.length);
      in.fill(chunk, filled);
      ByteBuffer elements = ByteBuffer.wrap(chunk, 0, filled);
      while (elements.hasRemaining()) {
        sink.accept(position++, element.next(elements));
      }
    }
  }

  private long completeExamples(long position) {
    return Math.max(0, position - headerBytes()) / exampleBytes();
  }

  private static InvalidInputException damaged(String uri, ZipException e) {
    return new InvalidInputException(
        String.format(Locale.ROOT, "%s: damaged gzip file: %s", uri, e.getMessage()), e);
  }
}
