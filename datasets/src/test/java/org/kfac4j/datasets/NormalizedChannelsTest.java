package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.Examples;
import org.kfac4j.data.LocalStorage;

class NormalizedChannelsTest {
  private static final List<Double> MEANS = List.of(0.5, 0.25, 0.125);
  private static final List<Double> DEVIATIONS = List.of(1.0, 0.5, 0.25);

  @TempDir Path folder;
  private DataSet raw;

  @BeforeEach
  void write() throws IOException {
    CifarWriter.both(folder, 6, 4);
    raw = open(DataTask.CLASSIFIER);
  }

  private DataSet open(DataTask task) throws IOException {
    return DataSources.open(
        new DataRequest("cifar10", folder.toString(), task, 0, 0, 0, 0, new LocalStorage()));
  }

  @Test
  void everyChannelHasItsOwnNumbers() throws IOException {
    DataSet normalized = NormalizedChannels.of(raw, MEANS, DEVIATIONS);
    assertThat(normalized.train().size()).isEqualTo(6);
    Examples before = raw.test().read(1, 3);
    Examples after = normalized.test().read(1, 3);
    assertThat(after.firstId()).isEqualTo(1);
    assertThat(after.labels()).isEqualTo(before.labels());
    for (int i = 0; i < 2 * CifarWriter.PIXELS; i++) {
      int channel = i / 1024 % 3;
      assertThat(after.features()[i])
          .isEqualTo(
              (float) ((before.features()[i] - MEANS.get(channel)) / DEVIATIONS.get(channel)),
              within(1e-6f));
    }
  }

  @Test
  void withoutNumbersNothingChanges() {
    assertThat(NormalizedChannels.of(raw, List.of(), List.of())).isSameAs(raw);
  }

  @Test
  void listsThatDoNotFitAreRefused() throws IOException {
    assertRefused(
        () -> NormalizedChannels.of(raw, MEANS, List.of(1.0)),
        "data.channel-mean and data.channel-std must have a number for each channel, got 3 and 1");
    assertRefused(
        () -> NormalizedChannels.of(raw, List.of(0.0), List.of(0.0)),
        "data.channel-std must be positive, got [0.0]");
    List<Double> five = List.of(1.0, 1.0, 1.0, 1.0, 1.0);
    assertRefused(
        () -> NormalizedChannels.of(raw, five, five),
        "data.channel-mean has 5 channels, into which the 3072 features of an example cannot be"
            + " divided");
    DataSet images = open(DataTask.AUTOENCODER);
    assertRefused(
        () -> NormalizedChannels.of(images, MEANS, DEVIATIONS),
        "data.channel-mean is for data.task classifier: an autoencoder's targets would change with"
            + " its features");
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }
}
