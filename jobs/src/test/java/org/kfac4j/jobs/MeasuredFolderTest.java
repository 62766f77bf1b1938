package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.kfac4j.InvalidInputException;
import org.kfac4j.cost.ClusterSpec;

/** What a run notes of its cluster, as the cost model takes it. */
class MeasuredFolderTest {
  private static ClusterSpec cluster(String master, int executors, int cores, int threads) {
    return MeasuredFolder.cluster(
        "run",
        Json.of(
            Map.of(
                "master",
                master,
                "executors",
                String.valueOf(executors),
                "parallelTasks",
                String.valueOf(cores),
                "threadsPerTask",
                String.valueOf(threads),
                "partitions",
                "8")));
  }

  private static ClusterSpec spec(boolean local, int executors, int slots, int onMachine) {
    return new ClusterSpec(local, executors, slots, 8, onMachine, Double.POSITIVE_INFINITY, 0, 1);
  }

  @Test
  void aTaskTakesAllItsProcessors() {
    assertThat(cluster("spark://somewhere:7077", 4, 32, 1)).isEqualTo(spec(false, 4, 8, 8));
    assertThat(cluster("spark://somewhere:7077", 4, 32, 4)).isEqualTo(spec(false, 4, 2, 2));
    assertThat(cluster("local[8]", 1, 8, 2)).isEqualTo(spec(true, 1, 4, 4));
    // All on one machine.
    assertThat(cluster("local-cluster[2,4,1024]", 2, 8, 2)).isEqualTo(spec(false, 2, 2, 4));
  }

  @Test
  void aRunThatDoesNotSayIsRefused() {
    assertThatThrownBy(() -> MeasuredFolder.cluster("run", Json.object()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("run does not say on what cluster it ran");
  }
}
