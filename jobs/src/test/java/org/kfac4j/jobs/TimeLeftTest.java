package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.kfac4j.Settings;
import org.kfac4j.study.Budget;

class TimeLeftTest {
  private static final StudyPlan PLAN =
      StudyPlan.of(
          Settings.load(
              "study",
              """
              study {
                targets = ["train-loss=20"]
                batch-sizes = [10, 40, 160]
                budgets = [adjusted]
                epochs = 1
                seeds = [1]
                optimizers = [
                  { name = a, settings { optimizer.name = momentum } }
                  { name = b, settings { optimizer.name = adam } }
                ]
              }
              """,
              List.of()),
          1600);

  private static StudyTask task(int optimizer, int batch) {
    return new StudyTask(
        PLAN.optimizers().get(optimizer), Budget.ADJUSTED, batch, 1, new TreeMap<>());
  }

  @Test
  void alikeRunsAreTheMeasureAndOthersScaled() {
    TimeLeft left = new TimeLeft(PLAN);
    assertThat(left.seconds(task(0, 10))).isEmpty();
    // 160 steps with 10 examples; 3 · 40 steps with 40; 5 · 10 with 160.
    left.ended(task(0, 10), 8);
    left.ended(task(0, 10), 12);
    assertThat(left.seconds(task(0, 10)).orElseThrow()).isEqualTo(10);
    // 0.75 of the steps, 3 times the examples.
    assertThat(left.seconds(task(0, 40)).orElseThrow())
        .isCloseTo(10 * Math.sqrt(0.75 * 3), within(1e-9));
    assertThat(left.seconds(task(1, 10)).orElseThrow()).isEqualTo(10);
    left.ended(task(0, 40), 30);
    left.ended(task(1, 40), 6);
    assertThat(left.seconds(task(0, 10)).orElseThrow()).isEqualTo(10);
    assertThat(left.seconds(task(0, 160)).orElseThrow())
        .isCloseTo(30 * Math.sqrt(50 / 120.0 * 8000 / 4800), within(1e-9));
    assertThat(left.seconds(task(1, 40)).orElseThrow()).isEqualTo(6);
  }
}
