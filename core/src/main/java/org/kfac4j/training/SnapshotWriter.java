package org.kfac4j.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32C;
import org.kfac4j.Snapshot;

/**
 * Writes a {@link Snapshot} as a stream, big-endian: {@link #MAGIC} (8 bytes), {@link #VERSION}
 * (4), number of entries (4), and for each entry length of its name (2), name (UTF-8), type (1),
 * number of elements (8), elements. Long, double and their arrays have 8 bytes an element, float
 * arrays 4, text 1 (a byte of UTF-8).
 */
final class SnapshotWriter {
  static final long MAGIC =
      0x4B46_4143_344A_0D0AL; // "KFAC4J", then a line end that a text-mode copy would change
  static final int VERSION = 1;
  static final byte LONG = 1;
  static final byte DOUBLE = 2;
  static final byte TEXT = 3;
  static final byte DOUBLES = 4;
  static final byte FLOATS = 5;
  static final byte LONGS = 6;

  /** Bytes converted at a time; a multiple of 8. */
  static final int CHUNK = 1 << 20;

  /**
   * What was written.
   *
   * @param bytes how many
   * @param checksum CRC-32C of all of them: 7 ms for 100 MB where SHA-256 takes 0.7 s, and it is
   *     accidents that are to be found
   */
  record Written(long bytes, long checksum) {}

  private final OutputStream out;
  private final CRC32C checksum = new CRC32C();
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
  private long bytes;

  private SnapshotWriter(OutputStream out) {
    this.out = out;
  }

  /** Leaves {@code out} open. */
  static Written write(OutputStream out, Snapshot snapshot) throws IOException {
    SnapshotWriter writer = new SnapshotWriter(out);
    writer.chunk.putLong(MAGIC).putInt(VERSION).putInt(snapshot.entries().size());
    for (Map.Entry<String, Object> entry : snapshot.entries().entrySet()) {
      writer.entry(entry.getKey(), entry.getValue());
    }
    writer.drain();
    return new Written(writer.bytes, writer.checksum.getValue());
  }

  private void entry(String name, Object value) throws IOException {
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    room(nameBytes.length + 32);
    chunk.putShort((short) nameBytes.length).put(nameBytes);
    if (value instanceof Long number) {
      chunk.put(LONG).putLong(1).putLong(number);
    } else if (value instanceof Double number) {
      chunk.put(DOUBLE).putLong(1).putLong(Double.doubleToRawLongBits(number));
    } else if (value instanceof String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      chunk.put(TEXT).putLong(utf8.length);
      payload(utf8.length, 1, (from, count) -> chunk.put(utf8, from, count));
    } else if (value instanceof double[] numbers) {
      chunk.put(DOUBLES).putLong(numbers.length);
      payload(numbers.length, 8, (from, count) -> chunk.asDoubleBuffer().put(numbers, from, count));
    } else if (value instanceof float[] numbers) {
      chunk.put(FLOATS).putLong(numbers.length);
      payload(numbers.length, 4, (from, count) -> chunk.asFloatBuffer().put(numbers, from, count));
    } else if (value instanceof long[] numbers) {
      chunk.put(LONGS).putLong(numbers.length);
      payload(numbers.length, 8, (from, count) -> chunk.asLongBuffer().put(numbers, from, count));
    } else {
      throw new IllegalArgumentException("no format for " + value.getClass());
    }
  }

  /**
   * Puts elements {@code from} to {@code from + count} of an array at the position of {@link
   * #chunk}.
   */
  private interface Part {
    void put(int from, int count);
  }

  private void payload(int length, int width, Part part) throws IOException {
    drain();
    for (int from = 0; from < length; from += CHUNK / width) {
      int count = Math.min(CHUNK / width, length - from);
      part.put(from, count);
      chunk.position(count * width);
      drain();
    }
  }

  private void room(int size) throws IOException {
    if (chunk.remaining() < size) {
      drain();
    }
  }

  private void drain() throws IOException {
    checksum.update(chunk.array(), 0, chunk.position());
    out.write(chunk.array(), 0, chunk.position());
    bytes += chunk.position();
    chunk.clear();
  }
}
