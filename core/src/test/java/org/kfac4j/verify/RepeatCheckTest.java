package org.kfac4j.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kfac4j.verify.Finding.Outcome;
import org.kfac4j.verify.RepeatCheck.Ending;

/** Two runs must end the same way, whichever way that is. */
class RepeatCheckTest {
  private static final String LOSS = "iteration 2: the loss is NaN";

  private static Ending trained(double... theta) {
    return new Ending(theta, null);
  }

  private static Ending diverged(String reason, double... theta) {
    return new Ending(theta, reason);
  }

  private static Finding found(Ending first, Ending second) {
    Iterator<Ending> endings = List.of(first, second).iterator();
    return RepeatCheck.run("test", endings::next);
  }

  @Test
  void equalWeightsAreRight() {
    assertThat(found(trained(1, 2, Double.NaN), trained(1, 2, Double.NaN)).outcome())
        .isEqualTo(Outcome.OK);
  }

  static Stream<List<Ending>> different() {
    return Stream.of(
        List.of(trained(1, 3), trained(1, Math.nextUp(3.0))),
        List.of(trained(1, 0.0), trained(1, -0.0)),
        List.of(trained(1, 3), trained(1, Double.NaN)),
        List.of(trained(1, 3), diverged(LOSS, 1, 3)),
        List.of(diverged(LOSS, 1, 3), trained(1, 3)),
        List.of(diverged(LOSS, 1, 3), diverged("iteration 3: the loss is NaN", 1, 3)),
        List.of(diverged(LOSS, 1, 3), diverged(LOSS, 1, Math.nextUp(3.0))),
        List.of(diverged(LOSS, 1, 3), diverged(LOSS, 1, Double.NaN)));
  }

  @ParameterizedTest
  @MethodSource("different")
  void differentEndsAreNoticed(List<Ending> endings) {
    assertThat(found(endings.get(0), endings.get(1)).hasFailed()).isTrue();
  }

  @Test
  void theReasonOfTheOneThatDivergesIsTold() {
    assertThat(found(trained(1), diverged(LOSS, 1)).compared()).contains("second", LOSS);
    assertThat(found(diverged(LOSS, 1), trained(1)).compared()).contains("first", LOSS);
  }

  @Test
  void runsThatDivergeAlikeAreNoFailure() {
    Finding found = found(diverged(LOSS, 1, 3), diverged(LOSS, 1, 3));
    assertThat(found.outcome()).isEqualTo(Outcome.NOT_APPLICABLE);
    assertThat(found.compared()).contains(LOSS);
  }
}
