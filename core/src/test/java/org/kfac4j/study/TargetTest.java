package org.kfac4j.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.kfac4j.InvalidInputException;

class TargetTest {
  @Test
  void readsWhatSettingsWrite() {
    assertThat(Target.parse("test-accuracy=0.95"))
        .isEqualTo(new Target(Target.Metric.TEST_ACCURACY, 0.95));
    assertThat(Target.parse(" train-loss = 1e-3 "))
        .isEqualTo(new Target(Target.Metric.TRAIN_LOSS, 1e-3));
    for (Target.Metric metric : Target.Metric.values()) {
      assertThat(Target.parse(metric.key() + "=0.5").metric()).isEqualTo(metric);
    }
  }

  @Test
  void namesRuleAndValueOfWhatItRefuses() {
    refuses("0.95", "a target must be metric=value, as in test-accuracy=0.95, got '0.95'");
    refuses(
        "accuracy=0.95",
        "the metric of target 'accuracy=0.95' must be one of train-loss, test-loss, test-error, test-accuracy, got 'accuracy'");
    refuses("test-loss=low", "the value of target 'test-loss=low' must be a number, got 'low'");
    refuses("test-loss=NaN", "target test-loss must be finite, got NaN");
    refuses(
        "test-accuracy=95", "target test-accuracy is a fraction and must be in (0, 1], got 95.0");
  }

  private static void refuses(String text, String message) {
    assertThatThrownBy(() -> Target.parse(text))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(message);
  }

  @Test
  void isMetByTheValueItselfAndBetterOnesOnly() {
    Target accuracy = Target.parse("test-accuracy=0.95");
    assertThat(accuracy.isMetBy(0.95)).isTrue();
    assertThat(accuracy.isMetBy(0.96)).isTrue();
    assertThat(accuracy.isMetBy(0.9499)).isFalse();
    Target loss = Target.parse("train-loss=0.1");
    assertThat(loss.isMetBy(0.1)).isTrue();
    assertThat(loss.isMetBy(0.09)).isTrue();
    assertThat(loss.isMetBy(0.11)).isFalse();
    assertThat(loss.isMetBy(Double.NaN)).isFalse();
    assertThat(accuracy.isMetBy(Double.NaN)).isFalse();
  }

  @Test
  void labelsKeepAllDigits() {
    assertThat(Target.parse("test-accuracy=0.9955").label()).isEqualTo("test accuracy ≥ 99.55 %");
    assertThat(Target.parse("test-accuracy=1").label()).isEqualTo("test accuracy ≥ 100 %");
    assertThat(Target.parse("train-loss=0.123456").label()).isEqualTo("training loss ≤ 0.123456");
    assertThat(Target.parse("test-error=8").label()).isEqualTo("test error ≤ 8");
  }

  @Test
  void adjustedBudgetsGrowByOneNormalOneWithEachDoubling() {
    assertThat(Budget.NORMAL.steps(390, 16_384, 128)).isEqualTo(390);
    assertThat(Budget.ADJUSTED.steps(390, 128, 128)).isEqualTo(390);
    assertThat(Budget.ADJUSTED.steps(100, 16_384, 128)).isEqualTo(800);
    // log₂ 1.5 = 0.58496
    assertThat(Budget.ADJUSTED.steps(1000, 192, 128)).isEqualTo(1585);
    // An epoch of 60,000 examples in batches of 40,000: 1.5 steps, and 8.29 epochs of them.
    assertThat(Budget.NORMAL.steps(1.5, 40_000, 256)).isEqualTo(2);
    assertThat(Budget.ADJUSTED.steps(1.5, 40_000, 256)).isEqualTo(13);
    for (int doublings = 0; doublings < 25; doublings++) {
      assertThat(Budget.ADJUSTED.steps(3, 1 << doublings, 1)).isEqualTo(3L * (doublings + 1));
    }
    assertThatThrownBy(() -> Budget.ADJUSTED.steps(10, 64, 128))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a batch of a study must be at least its smallest one (128), got 64");
  }
}
