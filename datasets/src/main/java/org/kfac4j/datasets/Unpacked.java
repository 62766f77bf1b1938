package org.kfac4j.datasets;

import java.io.Closeable;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.NoSuchFileException;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.Storage;

/**
 * The bytes of a file, unpacked if it is gzipped (told by its first two bytes, 1f 8b, not by its
 * name), or of one file in a tar archive, with a count of those read. A gzipped file that is
 * damaged makes any method throw {@link java.util.zip.ZipException}, one that ends too early {@link
 * EOFException}.
 */
final class Unpacked implements Closeable {
  private static final int BUFFER_BYTES = 1 << 16;

  private final InputStream in;
  private final boolean packed;
  private final byte[] skipped = new byte[BUFFER_BYTES];
  private long position;

  private Unpacked(InputStream in, boolean packed) {
    this.in = in;
    this.packed = packed;
  }

  /**
   * @throws InvalidInputException if there is no such file
   */
  static Unpacked open(Storage storage, String uri) throws IOException {
    InputStream raw;
    try {
      raw = storage.open(uri);
    } catch (FileNotFoundException | NoSuchFileException e) {
      throw new InvalidInputException("no such file: " + uri, e);
    }
    try {
      var bytes = new PushbackInputStream(raw, 2);
      byte[] first = bytes.readNBytes(2);
      bytes.unread(first);
      boolean gzip = first.length == 2 && first[0] == 0x1f && (first[1] & 0xff) == 0x8b;
      return new Unpacked(gzip ? new StrictGzip(bytes) : bytes, gzip);
    } catch (Throwable e) {
      raw.close();
      throw e;
    }
  }

  /**
   * The file {@code member} of the archive {@code uri}, whatever folder of it that is in; the file
   * {@code uri} itself if {@code member} is empty.
   *
   * @throws InvalidInputException if there is no such archive, or no such file in it
   */
  static Unpacked open(Storage storage, String uri, String member) throws IOException {
    Unpacked file = open(storage, uri);
    if (member.isEmpty()) {
      return file;
    }
    try {
      var archive = new TarArchiveInputStream(file.in);
      for (TarArchiveEntry entry = archive.getNextTarEntry();
          entry != null;
          entry = archive.getNextTarEntry()) {
        if (entry.isFile() && ("/" + entry.getName()).endsWith("/" + member)) {
          return new Unpacked(archive, true);
        }
      }
      throw new InvalidInputException(uri + ": no file " + member + " in this archive");
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  /** Whether its length is not that of the file, and nothing in it can be sought. */
  boolean isPacked() {
    return packed;
  }

  /** Unpacked bytes read or skipped so far, also after an exception. */
  long position() {
    return position;
  }

  /** Fills the first {@code count} bytes of the buffer. */
  void fill(byte[] buffer, int count) throws IOException {
    for (int filled = 0; filled < count; ) {
      int read = in.read(buffer, filled, count - filled);
      if (read < 0) {
        throw new EOFException();
      }
      filled += read;
      position += read;
    }
  }

  /** Passes over {@code count} bytes, by seeking if the file is not packed. */
  void skip(long count) throws IOException {
    long left = count;
    while (left > 0) {
      long passed = packed ? 0 : in.skip(left);
      position += passed;
      left -= passed;
      if (passed == 0) {
        int next = (int) Math.min(left, skipped.length);
        fill(skipped, next);
        left -= next;
      }
    }
  }

  /** Reads to the end; how many bytes there are from the start to there. */
  long skipAll() throws IOException {
    for (int read = in.read(skipped); read >= 0; read = in.read(skipped)) {
      position += read;
    }
    return position;
  }

  /** Whether nothing is left, inside or after what is gzipped. */
  boolean atEnd() throws IOException {
    return in.read() < 0 && !(in instanceof StrictGzip packed && packed.isFollowed());
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /** {@link GZIPInputStream} passes over whatever follows the last member; this can tell. */
  private static final class StrictGzip extends GZIPInputStream {
    private static final int TRAILER_BYTES = 8;

    StrictGzip(InputStream in) throws IOException {
      super(in, BUFFER_BYTES);
    }

    /** To be asked at the end: whether the file goes on after the trailer of the last member. */
    boolean isFollowed() throws IOException {
      return inf.getRemaining() > TRAILER_BYTES || in.read() >= 0;
    }
  }
}
