package org.kfac4j.network;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.kfac4j.data.Storage;

/**
 * Reads what DL4J's ModelSerializer writes. Its own reader deserialises Java objects from the entry
 * preprocessor.bin of any zip, and allocates what a header asks for; here only configuration.json
 * and coefficients.bin are looked at, and lengths are checked first.
 */
final class Dl4jFile {
  private static final String CONFIGURATION = "configuration.json";
  private static final String COEFFICIENTS = "coefficients.bin";

  /** Far above any real configuration. */
  private static final int LONGEST_JSON = 64 << 20;

  private static final int LONGEST_SHAPE = 256;

  private final Storage storage;
  private final String uri;
  private final Refusal refusal;

  Dl4jFile(Storage storage, String uri, Refusal refusal) {
    this.storage = storage;
    this.uri = uri;
    this.refusal = refusal;
  }

  /** Whether it is a zip (and thus has weights) rather than JSON. */
  boolean isZip() {
    return reading(in -> startsLikeZip(in));
  }

  /** The configuration, of a zip or of a JSON file. */
  String json() {
    return reading(
        in -> {
          if (startsLikeZip(in)) {
            return text(entry(in, CONFIGURATION));
          }
          return text(in);
        });
  }

  /**
   * The weights in a zip, in DL4J's order.
   *
   * @param count how many there must be
   */
  double[] coefficients(int count) {
    return reading(in -> coefficients(entry(in, COEFFICIENTS), count));
  }

  private <T> T reading(Reader<T> reader) {
    try (PushbackInputStream in =
        new PushbackInputStream(new BufferedInputStream(storage.open(uri)), 2)) {
      return reader.read(in);
    } catch (FileNotFoundException e) {
      throw refusal.invalid("there is no such file");
    } catch (EOFException e) {
      throw refusal.invalid("the file is damaged", e);
    } catch (IOException e) {
      throw refusal.invalid("the file is damaged or cannot be read", e);
    }
  }

  private interface Reader<T> {
    T read(PushbackInputStream in) throws IOException;
  }

  private static boolean startsLikeZip(PushbackInputStream in) throws IOException {
    byte[] start = in.readNBytes(2);
    in.unread(start);
    return start.length == 2 && start[0] == 'P' && start[1] == 'K';
  }

  private ZipInputStream entry(InputStream in, String name) throws IOException {
    ZipInputStream zip = new ZipInputStream(in);
    try {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals(name)) {
          return zip;
        }
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("an entry's name is not text", e);
    }
    throw refusal.invalid("no zip of DL4J's ModelSerializer: it has no " + name);
  }

  private String text(InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(LONGEST_JSON + 1);
    refusal.require(
        bytes.length <= LONGEST_JSON, "longer than %d bytes, so no configuration", LONGEST_JSON);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * An ND4J array: shape buffer, then data buffer. The shape is not needed: it is a vector, and its
   * length is known.
   */
  private double[] coefficients(InputStream entry, int count) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(entry));
    BufferHeader shape = header(in);
    refusal.require(
        shape.length >= 0 && shape.length <= LONGEST_SHAPE,
        "%s: damaged: a shape of %d numbers",
        COEFFICIENTS,
        shape.length);
    in.skipNBytes(shape.length * ("INT".equals(shape.type) ? Integer.BYTES : Long.BYTES));
    BufferHeader data = header(in);
    refusal.require(
        data.length == count,
        "%s has %d weights, but the configuration has %d",
        COEFFICIENTS,
        data.length,
        count);
    double[] values = new double[count];
    switch (data.type) {
      case "FLOAT" -> {
        for (int i = 0; i < count; i++) {
          values[i] = in.readFloat();
        }
      }
      case "DOUBLE" -> {
        for (int i = 0; i < count; i++) {
          values[i] = in.readDouble();
        }
      }
      default -> throw refusal.unsupported(COEFFICIENTS + ": data type", data.type);
    }
    // At the end of an entry its checksum is compared.
    refusal.require(
        in.read() < 0, "%s: damaged: there is more than %d weights", COEFFICIENTS, count);
    return values;
  }

  private record BufferHeader(long length, String type) {}

  private BufferHeader header(DataInputStream in) throws IOException {
    String mode = in.readUTF();
    long length =
        switch (mode) {
          case "LONG_SHAPE", "MIXED_DATA_TYPES" -> in.readLong();
          case "DIRECT", "HEAP", "JAVACPP" -> in.readInt(); // written by versions before 1.0.0
          default -> throw refusal.unsupported(COEFFICIENTS + ": allocation mode", mode);
        };
    return new BufferHeader(length, in.readUTF());
  }
}
