package org.kfac4j.training;

import static org.kfac4j.InvalidInputException.require;
import static org.kfac4j.training.SnapshotWriter.CHUNK;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Snapshot;

/**
 * Reads what {@link SnapshotWriter} wrote. Nothing is allocated for a length that the rest of the
 * file cannot hold.
 */
final class SnapshotReader {
  /** Arrays may not be much longer in Java. */
  private static final int LONGEST = Integer.MAX_VALUE - 8;

  /** An entry with an empty name and no elements. */
  private static final int SMALLEST_ENTRY = 11;

  private final InputStream in;
  private final CRC32C checksum = new CRC32C();
  private final byte[] chunk;
  private long left;

  private SnapshotReader(InputStream in, long length) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.left = length;
    this.chunk = new byte[(int) Math.min(CHUNK, length)];
  }

  /**
   * Reads a whole file.
   *
   * @param length bytes in the file
   * @param expectedChecksum CRC-32C of all of them
   * @throws InvalidInputException saying what is wrong with it
   */
  static Snapshot read(InputStream in, long length, long expectedChecksum) throws IOException {
    SnapshotReader reader = new SnapshotReader(in, length);
    Snapshot snapshot = reader.snapshot();
    require(reader.left == 0, "%s bytes too many", reader.left);
    require(reader.checksum.getValue() == expectedChecksum, "checksum differs");
    return snapshot;
  }

  private Snapshot snapshot() throws IOException {
    ByteBuffer header = take(16);
    require(header.getLong() == SnapshotWriter.MAGIC, "not a checkpoint of kfac4j");
    int version = header.getInt();
    require(
        version == SnapshotWriter.VERSION,
        "format must be %s, got %s",
        SnapshotWriter.VERSION,
        version);
    int count = header.getInt();
    require(
        count >= 0 && count <= left / SMALLEST_ENTRY,
        "%s entries do not fit in %s bytes",
        count,
        left);
    Snapshot snapshot = new Snapshot();
    for (int i = 0; i < count; i++) {
      entry(snapshot, i);
    }
    return snapshot;
  }

  private void entry(Snapshot snapshot, int index) throws IOException {
    int nameLength = Short.toUnsignedInt(take(2).getShort());
    take(nameLength);
    String name = new String(chunk, 0, nameLength, StandardCharsets.UTF_8);
    require(
        !name.isEmpty() && name.length() <= 1000 && !snapshot.contains(name),
        "name of entry %s is damaged",
        index);
    ByteBuffer head = take(9);
    byte type = head.get();
    long length = head.getLong();
    int width =
        switch (type) {
          case SnapshotWriter.TEXT -> 1;
          case SnapshotWriter.FLOATS -> 4;
          case SnapshotWriter.LONG,
              SnapshotWriter.DOUBLE,
              SnapshotWriter.DOUBLES,
              SnapshotWriter.LONGS ->
              8;
          default ->
              throw new InvalidInputException("entry %s has unknown type %s".formatted(name, type));
        };
    boolean fits = length >= 0 && length <= LONGEST && length <= left / width;
    require(fits, "%s elements of entry %s do not fit in %s bytes", length, name, left);
    switch (type) {
      case SnapshotWriter.LONG -> snapshot.put(name, single(name, length).getLong());
      case SnapshotWriter.DOUBLE ->
          snapshot.put(name, Double.longBitsToDouble(single(name, length).getLong()));
      case SnapshotWriter.TEXT -> snapshot.put(name, text((int) length));
      case SnapshotWriter.DOUBLES -> {
        double[] values = new double[(int) length];
        payload(
            values.length,
            width,
            (from, part) -> part.asDoubleBuffer().get(values, from, part.remaining() / 8));
        snapshot.put(name, values);
      }
      case SnapshotWriter.FLOATS -> {
        float[] values = new float[(int) length];
        payload(
            values.length,
            width,
            (from, part) -> part.asFloatBuffer().get(values, from, part.remaining() / 4));
        snapshot.put(name, values);
      }
      default -> {
        long[] values = new long[(int) length];
        payload(
            values.length,
            width,
            (from, part) -> part.asLongBuffer().get(values, from, part.remaining() / 8));
        snapshot.put(name, values);
      }
    }
  }

  private ByteBuffer single(String name, long length) throws IOException {
    require(length == 1, "entry %s must have 1 element, got %s", name, length);
    return take(8);
  }

  private String text(int length) throws IOException {
    byte[] bytes = new byte[length];
    payload(length, 1, (from, part) -> part.get(bytes, from, part.remaining()));
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Puts what {@code part} holds into an array at {@code from}. */
  private interface Part {
    void get(int from, ByteBuffer part);
  }

  private void payload(int length, int width, Part part) throws IOException {
    for (int from = 0; from < length; from += CHUNK / width) {
      part.get(from, take(Math.min(CHUNK / width, length - from) * width));
    }
  }

  private ByteBuffer take(int size) throws IOException {
    require(size <= left, "ends too early");
    int read = in.readNBytes(chunk, 0, size);
    require(read == size, "ends too early");
    checksum.update(chunk, 0, size);
    left -= size;
    return ByteBuffer.wrap(chunk, 0, size);
  }
}
