package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.spark.SparkUserAppException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.Storage;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.Progress;
import org.kfac4j.training.RunSummary;
import org.kfac4j.training.TrainingListener;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Trains one classifier with kfac4j and with Spark MLlib, one after the other in one application,
 * and compares.
 */
@Command(
    name = "compare-mllib",
    description = {
      "Trains a conf file's classifier with kfac4j and then a network of the same layer widths (sigmoid hidden units) with",
      "Spark MLlib's MultilayerPerceptronClassifier, and compares seconds and test accuracy; also in comparison.json in",
      "output.dir. kfac4j stops at training.target, so its seconds are seconds to target. What is timed: kfac4j's",
      "iterations without evaluations (with them is shown, too), and MLlib's fit() on cached data. Before that each",
      "trains for one iteration that is not counted. Reading data is not counted either.",
      "What MLlib multiplies matrices with is printed, too: JNIBLAS (a native libblas.so.3) if the machine has one, VectorBLAS",
      "with SPARK_SUBMIT_OPTS=--add-modules=jdk.incubator.vector, else plain Java."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 3 diverged, 1 anything else.")
public final class CompareMllib implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--mllib-iterations",
      paramLabel = "N",
      description = "Iterations of L-BFGS that MLlib does at most (default: ${DEFAULT-VALUE})")
  private int mllibIterations = 100;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new CompareMllib(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    InvalidInputException.require(
        mllibIterations >= 1, "--mllib-iterations must be at least 1, got %d", mllibIterations);
    TrainingRun run = TrainingRun.from(settings, options.name(), storage);
    DataSet data = run.problem().data();
    InvalidInputException.require(
        run.problem().augmentation().isNone(),
        "data.augment must be off in a comparison: MLlib cannot change its images");
    int[] widths = MllibPerceptron.widths(run.problem().network(), data.train().shape().classes());
    MllibPerceptron perceptron =
        new MllibPerceptron(widths, mllibIterations, run.training().seed());
    RunFolder folder = RunFolder.from(settings, options.name(), storage);
    folder.requireWritable();
    folder.checkComparison(settings.flag("output.overwrite"));
    try (Cluster cluster = Cluster.start(options.name())) {
      int partitions = cluster.partitions(settings);
      Measured kfac4j = train(cluster, run, folder.dir());
      MllibPerceptron.Outcome mllib =
          perceptron.train(cluster, partitions, data.train(), data.test());
      Json.write(storage, folder.comparison(), json(cluster, run, perceptron, kfac4j, mllib));
      print(cluster, run, perceptron, kfac4j, mllib);
    }
    System.out.println("comparison  " + folder.comparison());
    return 0;
  }

  /**
   * A training run of kfac4j.
   *
   * @param wallSeconds with evaluations
   * @param evaluations the iterations that had one
   */
  private record Measured(
      RunSummary summary, double wallSeconds, List<IterationRecord> evaluations) {
    double testAccuracy() {
      return accuracy(summary.last());
    }

    /** Seconds of training until the test accuracy was first at least {@code accuracy}. */
    OptionalDouble secondsTo(double accuracy) {
      return evaluations.stream()
          .filter(record -> accuracy(record.evaluation()) >= accuracy)
          .mapToDouble(IterationRecord::seconds)
          .findFirst();
    }
  }

  private static double accuracy(@Nullable Evaluation evaluation) {
    Double accuracy = evaluation == null ? null : evaluation.accuracy();
    return accuracy == null ? Double.NaN : accuracy;
  }

  private static Measured train(Cluster cluster, TrainingRun run, String dir) {
    List<IterationRecord> evaluations = new ArrayList<>();
    TrainingListener progress = Progress.forTerminal(Help.Ansi.AUTO.enabled(), System.out);
    TrainingListener collector =
        new TrainingListener() {
          @Override
          public void iteration(IterationRecord record) {
            if (record.evaluation() != null) {
              evaluations.add(record);
            }
          }
        };
    Settings settings = run.settings();
    DataSet data = run.problem().data();
    try (progress;
        SparkObjective train = cluster.objective(settings, run.problem(), data.train());
        SparkObjective test = cluster.objective(settings, run.problem(), data.test())) {
      run.warmUp(train);
      progress.started(run.info(dir, 0, cluster.describe(settings)));
      long begin = System.nanoTime();
      RunSummary summary =
          run.train(train, test, List.of(progress, collector), (iteration, state) -> {}, null)
              .summary();
      return new Measured(summary, (System.nanoTime() - begin) * 1e-9, evaluations);
    }
  }

  private static void print(
      Cluster cluster,
      TrainingRun run,
      MllibPerceptron perceptron,
      Measured kfac4j,
      MllibPerceptron.Outcome mllib) {
    double seconds = kfac4j.summary.seconds();
    System.out.printf(
        Locale.ROOT,
        "%n%s: layers %s, %,d training and %,d test examples, %s; MLlib computes with %s%n%n",
        run.name(),
        Arrays.stream(perceptron.widths())
            .mapToObj(String::valueOf)
            .collect(Collectors.joining("-")),
        run.problem().data().train().size(),
        run.problem().data().test().size(),
        cluster.spark().master(),
        MllibPerceptron.blas());
    TextTable.lines(
            List.of(
                List.of("", "kfac4j", "MLlib", "MLlib / kfac4j"),
                List.of(
                    "training, seconds",
                    two(seconds),
                    two(mllib.seconds()),
                    two(mllib.seconds() / seconds)),
                List.of("  with evaluations", two(kfac4j.wallSeconds), "", ""),
                List.of(
                    "iterations",
                    String.valueOf(kfac4j.summary.iterations()),
                    String.valueOf(mllib.iterations()),
                    ""),
                List.of(
                    "test accuracy",
                    percent(kfac4j.testAccuracy()),
                    percent(mllib.testAccuracy()),
                    "")))
        .forEach(System.out::println);
    OptionalDouble equal = kfac4j.secondsTo(mllib.testAccuracy());
    System.out.println();
    if (run.training().target() != null) {
      System.out.printf(
          Locale.ROOT,
          "kfac4j %s training.target (%s)%n",
          kfac4j.summary.reason().equals("target") ? "stopped at" : "did not reach",
          percent(run.training().target()));
    }
    System.out.println(
        equal.isPresent()
            ? "kfac4j had MLlib's accuracy after %s seconds".formatted(two(equal.getAsDouble()))
            : "kfac4j did not reach MLlib's accuracy");
  }

  private static String two(double number) {
    return String.format(Locale.ROOT, "%.2f", number);
  }

  private static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * fraction);
  }

  private static ObjectNode json(
      Cluster cluster,
      TrainingRun run,
      MllibPerceptron perceptron,
      Measured kfac4j,
      MllibPerceptron.Outcome mllib) {
    ObjectNode root = Json.object().put("name", run.name());
    ArrayNode layers = root.putArray("layers");
    Arrays.stream(perceptron.widths()).forEach(layers::add);
    root.put("trainSize", run.problem().data().train().size());
    root.put("testSize", run.problem().data().test().size());
    ObjectNode ours = root.putObject("kfac4j");
    ours.put("seconds", kfac4j.summary.seconds());
    ours.put("secondsWithEvaluations", kfac4j.wallSeconds);
    ours.put("iterations", kfac4j.summary.iterations());
    ours.put("reason", kfac4j.summary.reason());
    Json.put(ours, "testAccuracy", kfac4j.testAccuracy());
    OptionalDouble equal = kfac4j.secondsTo(mllib.testAccuracy());
    Json.put(ours, "secondsToMllibAccuracy", equal.orElse(Double.NaN));
    ArrayNode evaluations = ours.putArray("evaluations");
    for (IterationRecord record : kfac4j.evaluations) {
      ObjectNode each = evaluations.addObject().put("iteration", record.iteration());
      each.put("seconds", record.seconds());
      Json.put(each, "testAccuracy", accuracy(record.evaluation()));
    }
    ObjectNode theirs = root.putObject("mllib");
    theirs.put("seconds", mllib.seconds());
    theirs.put("iterations", mllib.iterations());
    theirs.put("maximumIterations", perceptron.iterations());
    Json.put(theirs, "testAccuracy", mllib.testAccuracy());
    theirs.put("blas", MllibPerceptron.blas());
    Json.put(root, "ratioOfSeconds", mllib.seconds() / kfac4j.summary.seconds());
    Json.put(root, "settings", run.settings().flat());
    Json.put(root, "versions", Cluster.versions());
    Json.put(root, "cluster", cluster.describe(run.settings()));
    return root;
  }
}
