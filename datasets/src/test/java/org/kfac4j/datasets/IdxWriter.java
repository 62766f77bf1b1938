package org.kfac4j.datasets;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Writes IDX files for tests. */
final class IdxWriter {
  static final int UNSIGNED_BYTE = 0x08;
  static final int SIGNED_BYTE = 0x09;
  static final int SHORT = 0x0B;
  static final int INT = 0x0C;
  static final int FLOAT = 0x0D;
  static final int DOUBLE = 0x0E;

  private IdxWriter() {}

  /** Header and elements; neither is checked. */
  static byte[] idx(int type, int[] dimensions, double... elements) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * dimensions.length + 8 * elements.length);
    bytes.putInt(type << 8 | dimensions.length);
    for (int dimension : dimensions) {
      bytes.putInt(dimension);
    }
    for (double element : elements) {
      switch (type) {
        case SHORT -> bytes.putShort((short) element);
        case INT -> bytes.putInt((int) element);
        case FLOAT -> bytes.putFloat((float) element);
        case DOUBLE -> bytes.putDouble(element);
        default -> bytes.put((byte) (int) element);
      }
    }
    byte[] written = new byte[bytes.position()];
    bytes.rewind().get(written);
    return written;
  }

  /** {@code count} images of 2x3 bytes; no two neighbouring bytes are equal. */
  static byte[] images(int count) {
    double[] pixels = new double[6 * count];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = 37 * i % 256;
    }
    return idx(UNSIGNED_BYTE, new int[] {count, 2, 3}, pixels);
  }

  /** Labels 0, 1, …, 9, 0, 1, … as bytes. */
  static byte[] labels(int count) {
    double[] labels = new double[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % 10;
    }
    return idx(UNSIGNED_BYTE, new int[] {count}, labels);
  }

  static byte[] gzip(byte[] bytes) {
    var packed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  static String write(Path folder, String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, bytes);
    return file.toString();
  }

  /** The four files of MNIST, small. */
  static void mnist(Path folder, int train, int test) throws IOException {
    write(folder, "train-images-idx3-ubyte.gz", gzip(images(train)));
    write(folder, "train-labels-idx1-ubyte.gz", gzip(labels(train)));
    write(folder, "t10k-images-idx3-ubyte", images(test));
    write(folder, "t10k-labels.idx1-ubyte", labels(test));
  }
}
