package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.kfac4j.study.Budget;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;
import org.kfac4j.training.IterationRecord;

/** When a run of a study has seen enough. */
class StudyRecorderTest {
  private static final Target LOSS = Target.parse("train-loss=1");

  private static StudyRecorder recorder(int window, int steps, double hopelessAfter) {
    OptimizerGrid optimizer = new OptimizerGrid("sgd", new TreeMap<>(), new TreeMap<>());
    StudyTask task = new StudyTask(optimizer, Budget.NORMAL, 100, 1, new TreeMap<>());
    return new StudyRecorder(task, List.of(LOSS), window, steps, hopelessAfter);
  }

  /** Iterations with these losses, each a second long; returns after which one it was enough. */
  private static int enough(StudyRecorder recorder, double... losses) {
    for (int k = 1; k <= losses.length; k++) {
      recorder.iteration(
          new IterationRecord(
              k, k, 100, losses[k - 1], null, null, null, null, Map.of(), Map.of(), null));
      if (recorder.enough() != null) {
        return k;
      }
    }
    return 0;
  }

  @Test
  void aLossThatHasNotFallenIsHopelessAfterItsShareOfTheBudget() {
    assertThat(enough(recorder(2, 20, 0.25), 5, 5, 5, 5, 5, 5)).isEqualTo(5);
    assertThat(enough(recorder(2, 20, 0.25), 5, 5, 5, 4, 4, 4, 4)).isZero();
    assertThat(enough(recorder(2, 20, 1), 5, 6, 7, 8, 9, 10)).isZero();
    StudyRecorder hopeless = recorder(1, 8, 0.25);
    enough(hopeless, 5, 6);
    assertThat(hopeless.run("budget spent").outcome())
        .isEqualTo("hopeless: a mean loss of 6.000 after 2 of 8 steps, 5.000 at the first");
  }

  /** The first loss is no less than itself. */
  @Test
  void theFirstLossAloneIsNotHopeless() {
    assertThat(enough(recorder(1, 3, 0.25), 5, 4, 3)).isZero();
    assertThat(enough(recorder(1, 3, 0.25), 5, 5, 5)).isEqualTo(2);
    assertThat(enough(recorder(4, 4, 0.25), 5, 6, 6, 6)).isZero();
  }

  @Test
  void theMeanOfAnEpochIsWhatMeetsATarget() {
    StudyRecorder recorder = recorder(2, 20, 0.25);
    assertThat(enough(recorder, 3, 0.5, 1.4, 0.6)).isEqualTo(3);
    StudyRun run = recorder.run("budget spent");
    assertThat(run.outcome()).isEqualTo("targets met");
    assertThat(run.reached(LOSS).orElseThrow().steps()).isEqualTo(3);
    assertThat(run.reached(LOSS).orElseThrow().seconds()).isEqualTo(3);
    assertThat(run.medianIterationSeconds()).isEqualTo(1);
  }
}
