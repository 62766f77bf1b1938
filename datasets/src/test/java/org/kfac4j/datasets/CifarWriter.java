package org.kfac4j.datasets;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Writes CIFAR files for tests. */
final class CifarWriter {
  static final int PIXELS = 3072;

  private CifarWriter() {}

  /** Byte {@code i} of image {@code id}. */
  static int pixel(int id, int i) {
    return (31 * id + 7 * i + i / 1024) % 256;
  }

  /**
   * Records of images {@code from} to {@code to}; the last label byte is the id modulo {@code
   * classes}.
   */
  static byte[] records(int from, int to, int labelBytes, int classes) {
    var bytes = new ByteArrayOutputStream();
    for (int id = from; id < to; id++) {
      for (int i = 1; i < labelBytes; i++) {
        bytes.write(255);
      }
      bytes.write(id % classes);
      for (int i = 0; i < PIXELS; i++) {
        bytes.write(pixel(id, i));
      }
    }
    return bytes.toByteArray();
  }

  static byte[] gzip(byte[] plain) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(bytes)) {
      out.write(plain);
    }
    return bytes.toByteArray();
  }

  static byte[] tar(Map<String, byte[]> files) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new TarArchiveOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        var entry = new TarArchiveEntry(file.getKey());
        entry.setSize(file.getValue().length);
        out.putArchiveEntry(entry);
        out.write(file.getValue());
        out.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  /** Both data sets' files, some plain and some gzipped; training images in two batches. */
  static void both(Path folder, int train, int test) throws IOException {
    int half = train / 2;
    Files.write(folder.resolve("data_batch_1.bin"), records(0, half, 1, 10));
    Files.write(folder.resolve("data_batch_2.bin.gz"), gzip(records(half, train, 1, 10)));
    Files.write(folder.resolve("test_batch.bin.gz"), gzip(records(train, train + test, 1, 10)));
    Files.write(folder.resolve("train.bin.gz"), gzip(records(0, train, 2, 100)));
    Files.write(folder.resolve("test.bin"), records(train, train + test, 2, 100));
  }
}
