package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;
import org.kfac4j.data.LocalStorage;

/** What every entry of the table promises, and what the table itself says no to. */
class DataSourcesTest {
  private static final long SEED = 42;
  private static final int TRAIN = 40;
  private static final int TEST = 12;

  @TempDir Path folder;

  static SortedSet<String> names() {
    return DataSources.names();
  }

  @BeforeEach
  void writeFiles() throws IOException {
    IdxWriter.mnist(folder, TRAIN, TEST);
    CifarWriter.both(folder, TRAIN, TEST);
  }

  @ParameterizedTest
  @MethodSource("names")
  void examplesHaveTheShapeThatTheSourceDeclares(String name) throws IOException {
    for (DataSource source : sources(name)) {
      Examples all = source.read(0, source.size());
      assertThat(all.count()).isEqualTo((int) source.size());
      assertThat(all.features()).hasSize(all.count() * source.shape().features());
      if (source.shape().classes()) {
        assertThat(all.labels()).hasSize(all.count());
        assertThat(Arrays.stream(all.labels()))
            .allMatch(label -> 0 <= label && label < source.shape().targets());
        assertThat(all.targets()).isNull();
      } else {
        assertThat(all.targets()).hasSize(all.count() * source.shape().targets());
        assertThat(all.labels()).isNull();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void anySplitReadsWhatOneReadReads(String name) throws IOException {
    for (DataSource source : sources(name)) {
      Examples all = source.read(0, source.size());
      int width = source.shape().features();
      for (int parts = 2; parts <= source.size(); parts++) {
        for (int part = 0; part < parts; part++) {
          int from = (int) (source.size() * part / parts);
          int to = (int) (source.size() * (part + 1) / parts);
          Examples some = source.read(from, to);
          assertThat(some.firstId()).isEqualTo(from);
          assertThat(some.count()).isEqualTo(to - from);
          assertThat(some.features())
              .isEqualTo(Arrays.copyOfRange(all.features(), from * width, to * width));
          if (all.labels() != null) {
            assertThat(some.labels()).isEqualTo(Arrays.copyOfRange(all.labels(), from, to));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void anEmptyRangeIsEmptyAndARangeOutsideIsRefused(String name) throws IOException {
    for (DataSource source : sources(name)) {
      for (long at : new long[] {0, 3, source.size()}) {
        Examples none = source.read(at, at);
        assertThat(none.count()).isZero();
        assertThat(none.features()).isEmpty();
        assertThat(none.firstId()).isEqualTo(at);
      }
      assertThatThrownBy(() -> source.read(0, source.size() + 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(source.name());
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void valuesAreFromZeroToOne(String name) throws IOException {
    for (DataSource source : sources(name)) {
      for (float value : source.read(0, source.size()).features()) {
        assertThat(value).isBetween(0f, 1f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void openedAgainOrSentElsewhereItReadsTheSame(String name) throws Exception {
    List<DataSource> again = sources(name);
    for (DataSource source : sources(name)) {
      DataSource twin = again.remove(0);
      float[] features = source.read(0, source.size()).features();
      assertThat(twin.read(0, source.size()).features()).isEqualTo(features);
      assertThat(sent(source).read(0, source.size()).features()).isEqualTo(features);
    }
  }

  @Test
  void aLimitTakesTheFirstExamples() throws IOException {
    DataSet all = DataSources.open(request("idx", DataTask.CLASSIFIER, 0, 0));
    assertThat(all.train().size()).isEqualTo(TRAIN);
    assertThat(all.test().size()).isEqualTo(TEST);
    DataSet some = DataSources.open(request("idx", DataTask.CLASSIFIER, 7, 5));
    assertThat(some.train().size()).isEqualTo(7);
    assertThat(some.test().size()).isEqualTo(5);
    assertThat(some.train().read(0, 7).features()).isEqualTo(all.train().read(0, 7).features());
    assertRefused(
        () -> DataSources.open(request("idx", DataTask.CLASSIFIER, TRAIN + 1, 0)),
        "data.train-size must be at most 40, the number of examples in "
            + folder.resolve("train-images-idx3-ubyte.gz")
            + ", got 41");
  }

  @Test
  void curvesAreAsManyAsAskedFor() throws IOException {
    DataSet usual = DataSources.open(request("curves", DataTask.AUTOENCODER, 0, 0));
    assertThat(usual.train().size()).isEqualTo(20_000);
    assertThat(usual.test().size()).isEqualTo(10_000);
    DataSet more = DataSources.open(request("curves", DataTask.AUTOENCODER, 1_000_000, 3));
    assertThat(more.train().size()).isEqualTo(1_000_000);
    assertThat(more.test().size()).isEqualTo(3);
  }

  @Test
  void anAutoencoderNeedsNoLabels() throws IOException {
    Files.delete(folder.resolve("train-labels-idx1-ubyte.gz"));
    assertThat(DataSources.open(request("mnist", DataTask.AUTOENCODER, 0, 0)).train().size())
        .isEqualTo(TRAIN);
    assertRefused(
        () -> DataSources.open(request("mnist", DataTask.CLASSIFIER, 0, 0)),
        "data.path: no such file: "
            + folder.resolve("train-labels-idx1-ubyte")
            + " (nor with .gz at the end or . before idx1-ubyte)");
  }

  @Test
  void theNumberOfClassesCanBeGiven() {
    var request =
        new DataRequest(
            "idx", folder.toString(), DataTask.CLASSIFIER, 5, SEED, 0, 0, new LocalStorage());
    assertRefused(
        () -> DataSources.open(request),
        folder.resolve("train-labels-idx1-ubyte.gz")
            + ": label of example 5 must be in 0..4, got 5");
  }

  @Test
  void anUnknownSourceIsRefusedWithTheNamesThatThereAre() {
    assertRefused(
        () -> DataSources.open(request("imagenet", DataTask.CLASSIFIER, 0, 0)),
        "data.source must be one of cifar10, cifar100, curves, fashion-mnist, idx, mnist, got imagenet");
  }

  @Test
  void whatASourceCannotDoIsRefusedByName() {
    assertRefused(
        () -> DataSources.open(request("curves", DataTask.CLASSIFIER, 0, 0)),
        "data.source curves has no classes: it can train an autoencoder, not a classifier");
    assertRefused(
        () ->
            DataSources.open(
                new DataRequest(
                    "mnist", "", DataTask.CLASSIFIER, 0, SEED, 0, 0, new LocalStorage())),
        "data.path is missing: data.source mnist needs the folder of its files");
  }

  @Test
  void settingsOutOfRangeAreRefusedByName() {
    assertRefused(
        () -> request("curves", DataTask.AUTOENCODER, -1, 0),
        "data.train-size must be positive, or 0 for all, got -1");
    assertRefused(
        () -> request("curves", DataTask.AUTOENCODER, 0, -2),
        "data.test-size must be positive, or 0 for all, got -2");
    assertRefused(
        () -> new DataRequest("idx", "", DataTask.CLASSIFIER, 1, SEED, 0, 0, new LocalStorage()),
        "data.classes must be at least 2, or 0 for the usual number, got 1");
  }

  /** Training and test examples for every task that the entry can do. */
  private List<DataSource> sources(String name) throws IOException {
    var sources = new ArrayList<DataSource>();
    for (DataTask task : DataTask.values()) {
      if (task == DataTask.AUTOENCODER || !name.equals("curves")) {
        DataSet set = DataSources.open(request(name, task, TRAIN - 1, TEST));
        sources.add(set.train());
        sources.add(set.test());
      }
    }
    return sources;
  }

  private DataRequest request(String name, DataTask task, long trainSize, long testSize) {
    return new DataRequest(
        name, folder.toString(), task, 0, SEED, trainSize, testSize, new LocalStorage());
  }

  private static DataSource sent(DataSource source) throws IOException, ClassNotFoundException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(source);
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (DataSource) in.readObject();
    }
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }
}
