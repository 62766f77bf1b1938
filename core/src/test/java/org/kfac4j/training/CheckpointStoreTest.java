package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Snapshot;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.data.Storage;

class CheckpointStoreTest {
  @TempDir Path temporary;
  private Path dir;
  private CheckpointStore store;
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void open() {
    dir = temporary.resolve("checkpoint");
    store = new CheckpointStore(new LocalStorage(), dir.toString(), 2);
  }

  @Test
  void everyTypeComesBackBitForBit() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    double[] doubles =
        random
            .longs(300_001)
            .mapToDouble(Double::longBitsToDouble)
            .toArray(); // NaN payloads among them; several chunks
    float[] floats = new float[700_003];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = Float.intBitsToFloat(random.nextInt());
    }
    long[] longs = random.longs(131_073).toArray();
    double signallingNan = Double.longBitsToDouble(0x7FF0_0000_0000_0001L);
    String text = "λ → \u0000 " + "äöü".repeat(500_000);
    store.save(
        3,
        new Snapshot()
            .put("long", Long.MIN_VALUE)
            .put("double", signallingNan)
            .put("text", text)
            .put("no text", "")
            .put("doubles", doubles)
            .put("no doubles", new double[0])
            .put("floats", floats)
            .put("no floats", new float[0])
            .put("longs", longs)
            .put("no longs", new long[0])
            .put("näme", -0.0));
    CheckpointStore.Loaded loaded = store.latest(warnings::add).orElseThrow();
    Snapshot back = loaded.snapshot();
    assertThat(loaded.iteration()).isEqualTo(3);
    assertThat(back.names())
        .containsExactly(
            "long",
            "double",
            "text",
            "no text",
            "doubles",
            "no doubles",
            "floats",
            "no floats",
            "longs",
            "no longs",
            "näme");
    assertThat(back.longValue("long")).isEqualTo(Long.MIN_VALUE);
    assertThat(Double.doubleToRawLongBits(back.doubleValue("double")))
        .isEqualTo(0x7FF0_0000_0000_0001L);
    assertThat(back.text("text").equals(text)).isTrue();
    assertThat(back.text("no text")).isEmpty();
    assertThat(
            Arrays.stream(back.doubles("doubles")).mapToLong(Double::doubleToRawLongBits).toArray())
        .isEqualTo(Arrays.stream(doubles).mapToLong(Double::doubleToRawLongBits).toArray());
    assertThat(bits(back.floats("floats"))).isEqualTo(bits(floats));
    assertThat(back.longs("longs")).isEqualTo(longs);
    assertThat(back.doubles("no doubles")).isEmpty();
    assertThat(back.floats("no floats")).isEmpty();
    assertThat(back.longs("no longs")).isEmpty();
    assertThat(1 / back.doubleValue("näme")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(warnings).isEmpty();
  }

  @Test
  void missingAndIllTypedEntriesAreNamed() {
    Snapshot snapshot = new Snapshot().put("theta", new float[1]);
    assertThatThrownBy(() -> snapshot.doubles("lambda"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("checkpoint has no entry lambda");
    assertThatThrownBy(() -> snapshot.doubles("theta"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("checkpoint entry theta must be double[], got float[]");
  }

  @Test
  void noFolderMeansNoCheckpoint() throws IOException {
    assertThat(store.latest(warnings::add)).isEmpty();
    assertThat(warnings).isEmpty();
  }

  @Test
  void aFileCutAnywhereIsNotTakenForACheckpoint() throws IOException {
    store.save(80, small(80));
    store.save(120, small(120));
    Path state = state(120);
    byte[] whole = Files.readAllBytes(state);
    for (int length = 0; length < whole.length; length += 97) {
      Files.write(state, Arrays.copyOf(whole, length));
      assertFallsBackTo80("state.bin must have " + whole.length + " bytes, got " + length);
    }
  }

  @Test
  void aFileCutAnywhereIsRefusedEvenIfItsLengthIsBelieved() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SnapshotWriter.Written written = SnapshotWriter.write(out, small(1));
    for (int length = 0; length < written.bytes(); length++) {
      byte[] cut = Arrays.copyOf(out.toByteArray(), length);
      assertThatThrownBy(
              () ->
                  SnapshotReader.read(
                      new ByteArrayInputStream(cut), cut.length, written.checksum()))
          .isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(
              () ->
                  SnapshotReader.read(
                      new ByteArrayInputStream(cut), written.bytes(), written.checksum()))
          .isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void everyFlippedByteIsFound() throws IOException {
    store.save(80, small(80));
    store.save(120, small(120));
    for (Path file : List.of(state(120), marker(120))) {
      byte[] whole = Files.readAllBytes(file);
      for (int i = 0; i < whole.length; i++) {
        for (int mask : new int[] {0x20, 0xFF}) {
          byte[] flipped = whole.clone();
          flipped[i] ^= (byte) mask;
          Files.write(file, flipped);
          assertFallsBackTo80("");
        }
      }
      Files.write(file, whole);
    }
    assertThat(store.latest(warnings::add).orElseThrow().iteration()).isEqualTo(120);
  }

  @Test
  void aDifferingChecksumIsSaidWithWhatIsUsedInstead() throws IOException {
    store.save(80, small(80));
    store.save(120, small(120));
    byte[] bytes = Files.readAllBytes(state(120));
    bytes[bytes.length - 1] ^= 1;
    Files.write(state(120), bytes);
    store.latest(warnings::add);
    assertThat(warnings)
        .containsExactly(
            dir + "/iteration-000120: state.bin: checksum differs; using iteration-000080");
  }

  @Test
  void withoutMarkerOrStateACheckpointIsUnfinished() throws IOException {
    store.save(80, small(80));
    store.save(120, small(120));
    Files.delete(marker(120));
    assertFallsBackTo80("COMMITTED is missing, so it was not finished");
    Files.writeString(marker(120), "{\"iteration\": 120, \"by");
    assertFallsBackTo80("COMMITTED is damaged or unfinished");
    Files.copy(marker(80), marker(120), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertFallsBackTo80("COMMITTED is of iteration 80");
    store.save(120, small(120));
    Files.delete(state(120));
    assertFallsBackTo80("state.bin is missing");
    Files.delete(marker(80));
    warnings.clear();
    assertThat(store.latest(warnings::add)).isEmpty();
    assertThat(warnings)
        .hasSize(2)
        .allMatch(warning -> warning.endsWith("; no intact checkpoint is left"));
  }

  @Test
  void theNewestOnesAreKept() throws IOException {
    for (int iteration : new int[] {50, 100, 150, 200}) {
      store.save(iteration, small(iteration));
    }
    assertThat(folders()).containsExactly("iteration-000150", "iteration-000200");
  }

  @Test
  void unfinishedOnesDoNotCountAndAreClearedAway() throws IOException {
    store.save(50, small(50));
    Files.createDirectories(dir.resolve("iteration-000070"));
    Files.writeString(dir.resolve("iteration-000070/state.bin"), "half");
    store.save(100, small(100));
    assertThat(folders()).containsExactly("iteration-000050", "iteration-000100");
  }

  @Test
  void aRunThatWentBackReplacesWhatIsAhead() throws IOException {
    store.save(50, small(50));
    store.save(100, small(100));
    Files.delete(marker(100));
    store.save(60, small(60));
    assertThat(folders())
        .containsExactly("iteration-000050", "iteration-000060", "iteration-000100");
    store.save(100, small(100));
    assertThat(folders()).containsExactly("iteration-000060", "iteration-000100");
    assertThat(store.latest(warnings::add).orElseThrow().iteration()).isEqualTo(100);
    assertThat(warnings).isEmpty();
  }

  @Test
  void iterationsPastAMillionAreInOrder() throws IOException {
    store.save(999_999, small(1));
    store.save(1_000_000, small(2));
    assertThat(store.latest(warnings::add).orElseThrow().iteration()).isEqualTo(1_000_000);
  }

  @Test
  void foreignFilesAreLeftAlone() throws IOException {
    Files.createDirectories(dir.resolve("iteration-backup"));
    Files.createDirectories(dir.resolve("iteration-0000120"));
    Files.writeString(dir.resolve("notes.txt"), "mine");
    store.save(1, small(1));
    store.save(2, small(2));
    store.save(3, small(3));
    assertThat(folders())
        .containsExactlyInAnyOrder(
            "iteration-0000120",
            "iteration-000002",
            "iteration-000003",
            "iteration-backup",
            "notes.txt");
    assertThat(store.latest(warnings::add).orElseThrow().iteration()).isEqualTo(3);
    assertThat(warnings).isEmpty();
  }

  @Test
  void aSaveThatIsInterruptedAnywhereLeavesTheOneBefore() throws IOException {
    store.save(80, small(80));
    long bytes = Files.size(state(80)) + Files.size(marker(80));
    for (long limit = 0; limit < bytes; limit += 3) {
      CheckpointStore failing = new CheckpointStore(new FailingStorage(limit), dir.toString(), 1);
      assertThatThrownBy(() -> failing.save(120, small(120))).isInstanceOf(IOException.class);
      Optional<CheckpointStore.Loaded> loaded = store.latest(warnings::add);
      assertThat(loaded).isPresent();
      assertThat(loaded.get().iteration()).isEqualTo(80);
    }
  }

  @Test
  void hugeDeclaredLengthsAreNotAllocated() throws IOException {
    for (byte type = SnapshotWriter.TEXT; type <= SnapshotWriter.LONGS; type++) {
      for (long length :
          new long[] {Long.MAX_VALUE, Long.MIN_VALUE, -1, Integer.MAX_VALUE, 1L << 40, 9}) {
        ByteBuffer file =
            ByteBuffer.allocate(64)
                .putLong(SnapshotWriter.MAGIC)
                .putInt(SnapshotWriter.VERSION)
                .putInt(1);
        file.putShort((short) 1).put((byte) 'x').put(type).putLong(length).putLong(0);
        byte[] bytes = Arrays.copyOf(file.array(), file.position());
        assertRefused(bytes, "elements of entry x do not fit in 8 bytes");
      }
    }
    ByteBuffer header =
        ByteBuffer.allocate(16).putLong(SnapshotWriter.MAGIC).putInt(SnapshotWriter.VERSION);
    assertRefused(
        header.putInt(Integer.MAX_VALUE).array(), "2147483647 entries do not fit in 0 bytes");
  }

  @Test
  void otherFilesAndOtherVersionsAreRefusedByName() throws IOException {
    assertRefused(new byte[16], "not a checkpoint of kfac4j");
    ByteBuffer header = ByteBuffer.allocate(16).putLong(SnapshotWriter.MAGIC).putInt(2);
    assertRefused(header.array(), "format must be 1, got 2");
  }

  private static void assertRefused(byte[] bytes, String message) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    assertThatThrownBy(
            () ->
                SnapshotReader.read(
                    new ByteArrayInputStream(bytes), bytes.length, checksum.getValue()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  private void assertFallsBackTo80(String problem) throws IOException {
    warnings.clear();
    CheckpointStore.Loaded loaded = store.latest(warnings::add).orElseThrow();
    assertThat(loaded.iteration()).isEqualTo(80);
    assertThat(loaded.snapshot().longValue("iteration")).isEqualTo(80);
    assertThat(warnings).hasSize(1);
    assertThat(warnings.get(0))
        .startsWith(dir + "/iteration-000120: ")
        .contains(problem)
        .endsWith("; using iteration-000080");
  }

  private static Snapshot small(int iteration) {
    return new Snapshot()
        .put("iteration", iteration)
        .put("lambda", 1.5)
        .put("theta", new double[] {1, 2, 3, iteration})
        .put("covariance", new float[] {1, 2, 3})
        .put("history", "{\"iteration\":1}\n")
        .put("visited", new long[] {5});
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private List<String> folders() throws IOException {
    return new LocalStorage().list(dir.toString());
  }

  private Path state(int iteration) {
    return dir.resolve("iteration-%06d/state.bin".formatted(iteration));
  }

  private Path marker(int iteration) {
    return dir.resolve("iteration-%06d/COMMITTED".formatted(iteration));
  }

  /** Writes only so many bytes, over all files, before it fails. */
  private static final class FailingStorage implements Storage {
    private static final long serialVersionUID = 1L;

    private final LocalStorage local = new LocalStorage();
    private long left;

    FailingStorage(long limit) {
      left = limit;
    }

    @Override
    public OutputStream create(String uri) throws IOException {
      return new FilterOutputStream(local.create(uri)) {
        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
          int written = (int) Math.min(left, count);
          out.write(bytes, from, written);
          left -= written;
          if (written < count) {
            throw new IOException("the disk is full");
          }
        }
      };
    }

    @Override
    public InputStream open(String uri) throws IOException {
      return local.open(uri);
    }

    @Override
    public boolean exists(String uri) {
      return local.exists(uri);
    }

    @Override
    public long length(String uri) throws IOException {
      return local.length(uri);
    }

    @Override
    public List<String> list(String uri) throws IOException {
      return local.list(uri);
    }

    @Override
    public void delete(String uri) throws IOException {
      local.delete(uri);
    }
  }
}
