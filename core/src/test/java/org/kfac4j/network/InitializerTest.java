package org.kfac4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.weights.WeightInit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Network.ParameterBlock;
import org.nd4j.linalg.factory.Nd4j;

/** Initial weights. */
class InitializerTest {
  private static final int IN = 400;
  private static final int OUT = 200;
  private static final Dl4jModel MODEL =
      Dl4jModel.of(Presets.layers(new int[] {IN, OUT, 10}, "tanh", 0, "mcxent"), "test");

  @Test
  void sparseGivesEveryUnitFifteenNormalWeightsAndZeroBias() {
    double[] theta = Initializer.initial(MODEL, "sparse", 7);
    double sum = 0;
    double squares = 0;
    int nonzero = 0;
    int[] uses = new int[IN];
    for (ParameterBlock block : MODEL.network().blocks()) {
      for (int unit = 0; unit < block.columns(); unit++) {
        int count = 0;
        for (int row = 0; row < block.rows(); row++) {
          double weight = theta[block.offset() + row * block.columns() + unit];
          count += weight != 0 ? 1 : 0;
          sum += weight;
          squares += weight * weight;
          if (block.layer() == 0 && weight != 0) {
            uses[row]++;
          }
        }
        assertThat(count).isEqualTo(15);
        assertThat(theta[block.end() - block.columns() + unit]).isZero();
        nonzero += count;
      }
    }
    assertThat(sum / nonzero).isCloseTo(0, within(5 / Math.sqrt(nonzero)));
    assertThat(squares / nonzero).isCloseTo(1, within(5 * Math.sqrt(2.0 / nonzero)));
    // 7.5 uses of an input on average; binomial, so its variance is close to that.
    double mean = 15.0 * OUT / IN;
    double variance =
        Arrays.stream(uses)
            .mapToDouble(each -> (each - mean) * (each - mean))
            .average()
            .orElseThrow();
    assertThat(variance).isBetween(0.7 * mean, 1.3 * mean);
  }

  @Test
  void sparseUsesAllInputsWhereThereAreFewer() {
    Dl4jModel narrow =
        Dl4jModel.of(Presets.layers(new int[] {30, 6, 20}, "tanh", 6, "xent"), "test");
    double[] theta = Initializer.initial(narrow, "sparse", 7);
    assertThat(Arrays.stream(theta).filter(each -> each != 0).count()).isEqualTo(15 * 6 + 6 * 20);
  }

  @ParameterizedTest
  @CsvSource({
    "xavier, 0.0033333333",
    "XAVIER_UNIFORM, 0.0033333333",
    "relu, 0.005",
    "relu_uniform, 0.005",
    "lecun_normal, 0.0025",
    "lecun_uniform, 0.0075",
    "normal, 0.0025",
    "uniform, 0.00083333333",
    "sigmoid_uniform, 0.05333333333",
    "zero, 0"
  })
  void dl4jsSchemesHaveDl4jsVariance(String scheme, double expected) {
    double[] weights = Arrays.copyOf(Initializer.initial(MODEL, scheme, 7), IN * OUT);
    double mean = Arrays.stream(weights).average().orElseThrow();
    double variance =
        Arrays.stream(weights).map(each -> (each - mean) * (each - mean)).average().orElseThrow();
    // The estimate's own standard deviation is at most √(2/80,000) of it.
    assertThat(variance).isCloseTo(expected, within(0.03 * expected));
    assertThat(mean).isCloseTo(0, within(5 * Math.sqrt(expected / weights.length) + 1e-12));
  }

  @ParameterizedTest
  @EnumSource(
      value = WeightInit.class,
      mode = Mode.EXCLUDE,
      names = {"DISTRIBUTION", "IDENTITY"})
  void theSameSeedGivesTheSameWeights(WeightInit scheme) {
    double[] theta = Initializer.initial(MODEL, scheme.name(), 7);
    assertThat(Initializer.initial(MODEL, scheme.name(), 7)).isEqualTo(theta);
    if (scheme != WeightInit.ZERO && scheme != WeightInit.ONES) {
      assertThat(Initializer.initial(MODEL, scheme.name(), 8)).isNotEqualTo(theta);
    }
  }

  @Test
  void sparseDependsOnTheSeedOnly() {
    double[] theta = Initializer.initial(MODEL, "sparse", 7);
    assertThat(Initializer.initial(MODEL, "Sparse", 7)).isEqualTo(theta);
    assertThat(Initializer.initial(MODEL, "sparse", 8)).isNotEqualTo(theta);
  }

  @Test
  void othersRandomNumbersAreNotDisturbed() {
    Nd4j.getRandom().setSeed(5);
    double[] undisturbed = Nd4j.rand(10).toDoubleVector();
    Nd4j.getRandom().setSeed(5);
    Initializer.initial(MODEL, "xavier", 7);
    assertThat(Nd4j.rand(10).toDoubleVector()).isEqualTo(undisturbed);
  }

  @Test
  void aConfigurationsOwnSchemesAndBiasesAreUsed() {
    MultiLayerConfiguration configuration = MODEL.configuration();
    BaseLayer first = (BaseLayer) configuration.getConf(0).getLayer();
    first.setWeightInitFn(WeightInit.ONES.getWeightInitFunction());
    first.setBiasInit(0.25);
    double[] theta = Initializer.configured(Dl4jModel.of(configuration, "test"), 7, "test");
    assertThat(Arrays.copyOf(theta, IN * OUT)).containsOnly(1);
    assertThat(Arrays.copyOfRange(theta, IN * OUT, (IN + 1) * OUT)).containsOnly(0.25);
    assertThat(theta[(IN + 1) * OUT]).isNotIn(0.0, 1.0);
  }

  @Test
  void schemesThatDoNotExistOrDoNotFitAreNamed() {
    assertThatThrownBy(() -> Initializer.initial(MODEL, "glorot", 7))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.init must be one of sparse, zero, ones, ")
        .hasMessageEndingWith(", got glorot");
    assertThatThrownBy(() -> Initializer.initial(MODEL, "distribution", 7))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Initializer.initial(MODEL, "identity", 7))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.init = identity: DL4J cannot initialise the weights: ")
        .hasMessageNotContaining("\n");
  }
}
