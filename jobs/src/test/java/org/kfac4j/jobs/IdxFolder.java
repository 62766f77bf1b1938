package org.kfac4j.jobs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.kfac4j.data.Hashing;

/** A folder with the four files of MNIST, small and made up. */
record IdxFolder(Path path) {
  static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
  static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
  static final String TEST_IMAGES = "t10k-images-idx3-ubyte";
  static final String TEST_LABELS = "t10k-labels-idx1-ubyte";

  private static final int UNSIGNED_BYTE = 0x08;
  private static final int FLOAT = 0x0D;

  /** Images of {@code rows} × {@code columns} that are brighter where their class is. */
  static IdxFolder write(Path folder, int train, int test, int rows, int columns)
      throws IOException {
    Files.createDirectories(folder);
    IdxFolder written = new IdxFolder(folder);
    written.put(TRAIN_IMAGES, images(train, rows, columns, 1));
    written.put(TRAIN_LABELS, labels(train, 10));
    written.put(TEST_IMAGES, images(test, rows, columns, 2));
    written.put(TEST_LABELS, labels(test, 10));
    return written;
  }

  void put(String name, byte[] bytes) throws IOException {
    Files.write(path.resolve(name), bytes);
  }

  byte[] get(String name) throws IOException {
    return Files.readAllBytes(path.resolve(name));
  }

  void delete(String name) throws IOException {
    Files.delete(path.resolve(name));
  }

  String file(String name) {
    return path.resolve(name).toString();
  }

  static byte[] images(int count, int rows, int columns, long seed) {
    int width = rows * columns;
    ByteBuffer bytes = header(UNSIGNED_BYTE, count * width, count, rows, columns);
    for (int i = 0; i < count; i++) {
      for (int pixel = 0; pixel < width; pixel++) {
        double noise = Math.abs(Hashing.normal(seed, (long) i * width + pixel)) * 20;
        boolean bright = pixel % 10 == i % 10;
        bytes.put((byte) Math.min(255, (bright ? 120 : 0) + noise));
      }
    }
    return written(bytes);
  }

  /** Classes 0, 1, …, 0, 1, … */
  static byte[] labels(int count, int classes) {
    ByteBuffer bytes = header(UNSIGNED_BYTE, count, count);
    for (int i = 0; i < count; i++) {
      bytes.put((byte) (i % classes));
    }
    return written(bytes);
  }

  /** Images of float elements, all ½ but one. */
  static byte[] floatImages(int count, int rows, int columns, int at, float value) {
    int elements = count * rows * columns;
    ByteBuffer bytes = header(FLOAT, 4 * elements, count, rows, columns);
    for (int i = 0; i < elements; i++) {
      bytes.putFloat(i == at ? value : 0.5f);
    }
    return written(bytes);
  }

  static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes);
    }
    return packed.toByteArray();
  }

  private static byte[] written(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.position()];
    buffer.rewind().get(bytes);
    return bytes;
  }

  private static ByteBuffer header(int type, int dataBytes, int... dimensions) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * dimensions.length + dataBytes);
    bytes.putInt(type << 8 | dimensions.length);
    for (int dimension : dimensions) {
      bytes.putInt(dimension);
    }
    return bytes;
  }
}
