package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.LocalStorage;

/** The real MNIST, where there is a copy: folder {@code mnist} in the system property's folder. */
class MnistTest {
  private static final Path FOLDER = Path.of(System.getProperty("kfac4j.data", "."), "mnist");

  private DataSet mnist;

  @BeforeEach
  void openWhereThereIsACopy() throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no MNIST in " + FOLDER + ": set -Dkfac4j.data");
    mnist =
        DataSources.open(
            new DataRequest(
                "mnist", FOLDER.toString(), DataTask.CLASSIFIER, 0, 0, 0, 0, new LocalStorage()));
  }

  @Test
  void partsHaveTheKnownSizes() {
    assertThat(mnist.train().size()).isEqualTo(60_000);
    assertThat(mnist.test().size()).isEqualTo(10_000);
    assertThat(mnist.train().shape()).isEqualTo(new ExampleShape(784, 10, true));
  }

  /** 0.1307 is the mean by which MNIST is commonly centred. */
  @Test
  void theMeanPixelIsTheKnownOne() throws IOException {
    DataSource train = mnist.train();
    double sum = 0;
    for (float pixel : train.read(0, train.size()).features()) {
      sum += pixel;
    }
    assertThat(sum / train.size() / 784).isCloseTo(0.1307, within(5e-5));
  }

  @Test
  void everyDigitHasItsKnownNumberOfImages() throws IOException {
    int[] counts = new int[10];
    for (int label : mnist.test().read(0, 10_000).labels()) {
      counts[label]++;
    }
    assertThat(counts).containsExactly(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009);
  }

  @Test
  void theLastImageReadsAloneAsInTheWhole() throws IOException {
    Examples all = mnist.test().read(9000, 10_000);
    Examples last = mnist.test().read(9999, 10_000);
    assertThat(last.labels()).containsExactly(6);
    for (int i = 0; i < 784; i++) {
      assertThat(last.features()[i]).isEqualTo(all.features()[999 * 784 + i]);
    }
  }
}
