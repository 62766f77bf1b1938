package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RaceTest {
  @TempDir static Path folder;
  private static Path conf;
  private static Path slow;

  @BeforeAll
  static void writeConfs() throws IOException {
    IdxFolder.write(folder.resolve("data"), 120, 45, 4, 5);
    conf = write("kfac.conf", "optimizer { damping { initial = 1 } }");
    slow = write("slow.conf", "optimizer { name = momentum, learning-rate.initial = 1e-6 }");
  }

  private static Path write(String name, String optimizer) throws IOException {
    String text =
        """
        model { layers = [20, 8, 10], loss = mcxent, init = xavier }
        data { source = idx, path = "%s", task = classifier }
        training { iterations = 6, batch-size = 60, evaluate-every = 2 }
        %s
        """
            .formatted(folder.resolve("data"), optimizer);
    return Files.writeString(folder.resolve(name), text);
  }

  /** The rows of the table below the trainings, by what is in their first column. */
  private static List<MatchResult> rows(Jobs.Ended run, String name) {
    Pattern row =
        Pattern.compile("(?m)^" + Pattern.quote(name) + " +(\\d+) +[\\d.]+ +[\\d.]+ +([\\d.]+)$");
    return row.matcher(run.out()).results().toList();
  }

  @Test
  void theFirstIsComparedWithWhereTheSecondEnds() {
    Jobs.Ended run = Jobs.run(new Race(), conf.toString(), "--rival", slow.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    MatchResult rival = rows(run, "slow").get(0);
    MatchResult good = rows(run, "kfac, first as good").get(0);
    assertThat(rival.group(1)).isEqualTo("6");
    assertThat(rows(run, "kfac").get(0).group(1)).isEqualTo("6");
    int iteration = Integer.parseInt(good.group(1));
    assertThat(iteration).isIn(2, 4, 6);
    assertThat(Double.parseDouble(good.group(2)))
        .isLessThanOrEqualTo(Double.parseDouble(rival.group(2)));
    assertThat(run.out())
        .contains("kfac is where slow ends after ")
        .contains("%.2f of its iterations".formatted(iteration / 6.0));
  }

  @Test
  void whoDoesNotGetThereIsToldSo() {
    Jobs.Ended run = Jobs.run(new Race(), slow.toString(), "--rival", conf.toString());
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("slow does not get where kfac ends");
  }

  @Test
  void differentModelsAreNotCompared() throws IOException {
    Path other = folder.resolve("other.conf");
    Files.writeString(other, Files.readString(slow) + "training.seed = 2\n");
    refused(
        Jobs.run(new Race(), conf.toString(), "--rival", other.toString()),
        "must have one model with the same initial weights");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data.train-size = 60",
        "data.seed = 2",
        "training.precision = double",
        "training.block-rows = 7"
      })
  void oneProblemIsSolvedByBoth(String setting) throws IOException {
    Path other = folder.resolve("other.conf");
    Files.writeString(other, Files.readString(slow) + setting + "\n");
    refused(
        Jobs.run(new Race(), conf.toString(), "--rival", other.toString()),
        setting.split(" ", -1)[0] + " must be the same in both");
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeItStarts() {
    Map<String, String> spark =
        Map.of("spark.master", "local-cluster[1,1,1024]", "spark.executor.memory", "100m");
    spark.forEach(System::setProperty);
    try {
      refused(
          Jobs.runAsConfigured(new Race(), conf.toString(), "--rival", slow.toString()),
          "on each executor's heap, but spark.executor.memory is 100");
    } finally {
      spark.keySet().forEach(System::clearProperty);
    }
  }

  private static void refused(Jobs.Ended run, String why) {
    assertThat(run.code()).isEqualTo(Job.BAD_INPUT);
    assertThat(run.err().lines()).singleElement().asString().contains(why);
  }
}
