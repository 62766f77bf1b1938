package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.Storage;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.Progress;
import org.kfac4j.training.TrainingListener;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Trains one network with two optimizers, one after the other in one application, and says how long
 * the first takes to get where the second ends.
 */
@Command(
    name = "race",
    description = {
      "Trains CONF's network as CONF says and as RIVAL says, from the same initial weights on the same cached data, one after",
      "the other, and says after how many iterations and seconds of training the first is where the second ends."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class Race implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--rival",
      required = true,
      paramLabel = "CONF",
      description = "Conf file of the other training")
  private String rival = "";

  /** How tasks compute what both optimizers get. */
  private static final Set<String> COMPUTED =
      Set.of(
          "training.precision",
          "training.block-rows",
          "training.batch-normalization-rows",
          "training.device",
          "training.task-cpus",
          "training.task-gpus");

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Race(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    JobOptions other = options.withConf(rival);
    TrainingRun first = TrainingRun.from(options.settings(storage), options.name(), storage);
    TrainingRun second = TrainingRun.from(other.settings(storage), other.name(), storage);
    InvalidInputException.require(
        first.problem().network().layers().equals(second.problem().network().layers())
            && Arrays.equals(first.problem().model().theta(), second.problem().model().theta()),
        "%s and %s must have one model with the same initial weights: model.* and training.seed differ",
        options.conf,
        rival);
    requireOneProblem(first.settings(), second.settings());
    RunPlan.of(first, new SparkConf()).requireFits();
    RunPlan.of(second, new SparkConf()).requireFits();
    try (Cluster cluster = Cluster.start("race")) {
      DataSet data = first.problem().data();
      try (SparkObjective train = cluster.trainingObjective(first.settings(), first.problem());
          SparkObjective test = cluster.objective(first.settings(), first.problem(), data.test())) {
        List<IterationRecord> rivals =
            train(second, cluster, train.withNetwork(second.problem().network()), test);
        List<IterationRecord> own = train(first, cluster, train, test);
        report(first.name(), own, second.name(), rivals);
      }
    }
    return 0;
  }

  /** Both train on the first one's examples, as its tasks have and compute them. */
  private void requireOneProblem(Settings ones, Settings twos) {
    Map<String, String> own = ones.flat();
    Map<String, String> others = twos.flat();
    for (String key : new TreeSet<>(own.keySet())) {
      boolean shared = key.startsWith("data.") || COMPUTED.contains(key);
      String first = own.getOrDefault(key, "");
      String second = others.getOrDefault(key, "");
      InvalidInputException.require(
          !shared || first.equals(second),
          "%s must be the same in both: %s in %s, %s in %s",
          key,
          first,
          options.conf,
          second,
          rival);
    }
  }

  /** Trains and returns the iterations that were evaluated. */
  private static List<IterationRecord> train(
      TrainingRun run, Cluster cluster, SparkObjective train, SparkObjective test) {
    List<IterationRecord> evaluated = new ArrayList<>();
    TrainingListener collector =
        new TrainingListener() {
          @Override
          public void iteration(IterationRecord record) {
            if (record.evaluation() != null) {
              evaluated.add(record);
            }
          }
        };
    TrainingListener progress = Progress.forTerminal(Help.Ansi.AUTO.enabled(), System.out);
    try (progress) {
      run.warmUp(train);
      progress.started(run.info("", 0, cluster.describe(run.settings())));
      run.train(train, test, List.of(progress, collector), (iteration, state) -> {}, null);
    }
    return evaluated;
  }

  private static void report(
      String name, List<IterationRecord> own, String rivalName, List<IterationRecord> rivals) {
    IterationRecord end = rivals.get(rivals.size() - 1);
    double goal = score(end);
    Optional<IterationRecord> reached =
        own.stream().filter(record -> score(record) <= goal).findFirst();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("", "iterations", "seconds", "s / iteration", metric(end)));
    rows.add(row(rivalName, end));
    rows.add(row(name, own.get(own.size() - 1)));
    reached.ifPresent(record -> rows.add(row(name + ", first as good", record)));
    System.out.println();
    TextTable.lines(rows).forEach(System.out::println);
    System.out.println();
    System.out.println(
        reached
            .map(
                record ->
                    String.format(
                        Locale.ROOT,
                        "%s is where %s ends after %.2f of its seconds and %.2f of its iterations",
                        name,
                        rivalName,
                        record.seconds() / end.seconds(),
                        (double) record.iteration() / end.iteration()))
            .orElse(name + " does not get where " + rivalName + " ends"));
  }

  private static List<String> row(String name, IterationRecord record) {
    return List.of(
        name,
        String.valueOf(record.iteration()),
        String.format(Locale.ROOT, "%.1f", record.seconds()),
        String.format(Locale.ROOT, "%.3f", record.seconds() / record.iteration()),
        String.format(Locale.ROOT, "%.4g", score(record)));
  }

  private static double score(IterationRecord record) {
    Evaluation evaluation = record.evaluation();
    return evaluation == null ? Double.NaN : evaluation.score();
  }

  private static String metric(IterationRecord record) {
    Evaluation evaluation = record.evaluation();
    if (evaluation == null) {
      return "";
    }
    return evaluation.accuracy() != null ? "1 - accuracy" : "test error";
  }
}
