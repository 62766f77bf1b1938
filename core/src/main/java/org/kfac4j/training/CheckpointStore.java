package org.kfac4j.training;

import static org.kfac4j.InvalidInputException.require;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Snapshot;
import org.kfac4j.data.Storage;

/**
 * Checkpoints in a folder, one subfolder {@code iteration-000123} each: {@code state.bin}, and
 * {@code COMMITTED} with its length and checksum, which is written only after {@code state.bin} is
 * closed. A process that dies at any point leaves a complete checkpoint or one that is recognised
 * as incomplete. Whatever else is in the folder is left alone.
 */
public final class CheckpointStore {
  private static final Pattern FOLDER = Pattern.compile("iteration-(\\d{6,9})");
  private static final String STATE = "state.bin";
  private static final String MARKER = "COMMITTED";
  private static final Pattern MARKER_TEXT =
      Pattern.compile(
          "\\{\"iteration\": (\\d{1,9}), \"bytes\": (\\d{1,18}), \"crc32c\": \"([0-9a-f]{8})\"}\n");

  private final Storage storage;
  private final String dir;
  private final int keep;

  /**
   * @param dir folder, made when the first checkpoint is saved
   * @param keep how many checkpoints {@link #save} leaves, at least 1
   */
  public CheckpointStore(Storage storage, String dir, int keep) {
    Check.that(keep >= 1, "keep must be at least 1, got %s", keep);
    this.storage = storage;
    this.dir = dir;
    this.keep = keep;
  }

  /**
   * A checkpoint that was read.
   *
   * @param iteration after which it was saved
   */
  public record Loaded(int iteration, Snapshot snapshot) {}

  /**
   * Saves a checkpoint in place of one of the same iteration, then deletes older ones: unfinished,
   * or more than {@code keep}.
   */
  public void save(int iteration, Snapshot snapshot) throws IOException {
    Check.that(
        iteration >= 0 && iteration <= 999_999_999,
        "iteration must be in [0, 999999999], got %s",
        iteration);
    storage.delete(
        file(
            iteration,
            MARKER)); // first: without it, what is left of a half-deleted folder is not taken for a
    // checkpoint
    storage.delete(folder(iteration));
    SnapshotWriter.Written written;
    try (OutputStream out = storage.create(file(iteration, STATE))) {
      written = SnapshotWriter.write(out, snapshot);
    }
    long length = storage.length(file(iteration, STATE));
    if (length != written.bytes()) {
      throw new IOException(
          "%s has %s bytes of %s".formatted(file(iteration, STATE), length, written.bytes()));
    }
    try (OutputStream out = storage.create(file(iteration, MARKER))) {
      out.write(markerText(iteration, written).getBytes(StandardCharsets.US_ASCII));
    }
    prune(iteration);
  }

  /**
   * The newest complete and intact checkpoint, or nothing.
   *
   * @param warnings gets one line for each newer one that is unfinished or damaged
   * @throws IOException if the folder cannot be listed
   */
  public Optional<Loaded> latest(Consumer<String> warnings) throws IOException {
    List<String> damaged = new ArrayList<>();
    for (int iteration : newestFirst()) {
      try {
        Loaded loaded = new Loaded(iteration, load(iteration));
        damaged.forEach(problem -> warnings.accept(problem + "; using " + name(iteration)));
        return Optional.of(loaded);
      } catch (InvalidInputException | IOException e) {
        damaged.add(folder(iteration) + ": " + e.getMessage());
      }
    }
    damaged.forEach(problem -> warnings.accept(problem + "; no intact checkpoint is left"));
    return Optional.empty();
  }

  private Snapshot load(int iteration) throws IOException {
    require(
        storage.exists(file(iteration, MARKER)), "%s is missing, so it was not finished", MARKER);
    Matcher marker = MARKER_TEXT.matcher(read(file(iteration, MARKER)));
    require(marker.matches(), "%s is damaged or unfinished", MARKER);
    require(
        Integer.parseInt(marker.group(1)) == iteration,
        "%s is of iteration %s",
        MARKER,
        marker.group(1));
    require(storage.exists(file(iteration, STATE)), "%s is missing", STATE);
    long length = storage.length(file(iteration, STATE));
    long expected = Long.parseLong(marker.group(2));
    require(length == expected, "%s must have %s bytes, got %s", STATE, expected, length);
    try (InputStream in = storage.open(file(iteration, STATE))) {
      return SnapshotReader.read(in, length, Long.parseLong(marker.group(3), 16));
    } catch (InvalidInputException e) {
      throw new InvalidInputException(STATE + ": " + e.getMessage(), e);
    }
  }

  private void prune(int newest) throws IOException {
    int kept = 0;
    for (int iteration : newestFirst()) {
      if (iteration > newest) {
        continue; // left by a process that got further; damaged, or the run would have been resumed
        // from it
      }
      if (kept < keep && storage.exists(file(iteration, MARKER))) {
        kept++;
      } else {
        storage.delete(file(iteration, MARKER));
        storage.delete(folder(iteration));
      }
    }
  }

  private List<Integer> newestFirst() throws IOException {
    List<Integer> iterations = new ArrayList<>();
    for (String child : storage.list(dir)) {
      Matcher folder = FOLDER.matcher(child);
      if (folder.matches() && child.equals(name(Integer.parseInt(folder.group(1))))) {
        iterations.add(Integer.valueOf(folder.group(1)));
      }
    }
    iterations.sort(Comparator.reverseOrder());
    return iterations;
  }

  private String read(String file) throws IOException {
    try (InputStream in = storage.open(file)) {
      return new String(in.readNBytes(1000), StandardCharsets.US_ASCII);
    } catch (FileNotFoundException e) {
      throw new InvalidInputException(MARKER + " cannot be read", e);
    }
  }

  private static String markerText(int iteration, SnapshotWriter.Written written) {
    return String.format(
        Locale.ROOT,
        "{\"iteration\": %d, \"bytes\": %d, \"crc32c\": \"%08x\"}\n",
        iteration,
        written.bytes(),
        written.checksum());
  }

  private static String name(int iteration) {
    return String.format(Locale.ROOT, "iteration-%06d", iteration);
  }

  private String folder(int iteration) {
    return Storage.resolve(dir, name(iteration));
  }

  private String file(int iteration, String name) {
    return Storage.resolve(folder(iteration), name);
  }
}
