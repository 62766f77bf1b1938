package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;
import org.kfac4j.linalg.Precision;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.LocalObjective;
import org.kfac4j.training.Trainer;
import org.kfac4j.verify.BlockCheck;
import org.kfac4j.verify.BlockQuality;
import org.kfac4j.verify.FilteredObjective;
import org.kfac4j.verify.Finding;
import org.kfac4j.verify.GradientCheck;
import org.kfac4j.verify.PartitionCheck;
import org.kfac4j.verify.ProductCheck;
import org.kfac4j.verify.RepeatCheck;
import org.kfac4j.verify.Sample;
import org.kfac4j.verify.SaveCheck;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Checks what is computed for the network and data of a conf file. */
@Command(
    name = "verify",
    description = {
      "Checks, on the network and some examples that a conf file names, in float64: gradients and Fisher products against",
      "finite differences, every preconditioner's blocks against exact Fisher blocks and what it makes of coupled layers against",
      "the matrix it is the inverse of, one partition against several, two short runs bit by bit, and the saved model against",
      "DL4J. Initial weights are moved by a twentieth, at random, so that no unit is exactly where it has no derivative. Writes",
      "nothing."
    },
    footer =
        "Exit codes: 0 everything holds, 4 something that must hold does not, 2 bad configuration or input, 1 anything else.")
public final class Verify implements Callable<Integer> {
  private static final int FEWEST = 4;
  private static final int MOST = 1024;
  private static final int ITERATIONS = 3;

  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--examples",
      paramLabel = "N",
      description =
          "Training examples to check with, the first ones, from "
              + FEWEST
              + " to "
              + MOST
              + "; 32")
  private int examples = 32;

  private final UnaryOperator<Sums> computed;
  private final UnaryOperator<byte[]> saved;

  public Verify() {
    this(UnaryOperator.identity(), UnaryOperator.identity());
  }

  /**
   * For tests, which put mistakes in.
   *
   * @param computed what becomes of sums: gradients, products and statistics
   * @param saved what becomes of a saved file
   */
  Verify(UnaryOperator<Sums> computed, UnaryOperator<byte[]> saved) {
    this.computed = computed;
    this.saved = saved;
  }

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Verify(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    InvalidInputException.require(
        options.printConfig || (FEWEST <= examples && examples <= MOST),
        "--examples must be from %d to %d, got %d",
        FEWEST,
        MOST,
        examples);
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingRun run = TrainingRun.from(sampled(settings), options.name(), storage);
    RunPlan.of(run, new SparkConf()).requireFits();
    List<Finding> findings;
    try (Cluster cluster = Cluster.start(options.name())) {
      findings = check(cluster, run);
    }
    long failed = findings.stream().filter(Finding::hasFailed).count();
    System.out.println();
    System.out.println(
        failed == 0
            ? "everything that must hold does"
            : failed + " of " + findings.size() + " checks FAILED");
    return failed == 0 ? 0 : Job.NOT_VERIFIED;
  }

  /** The same training on the sample alone, for a few iterations. */
  private Settings sampled(Settings settings) {
    int size = settings.nonNegativeInt("data.train-size");
    int count = size == 0 ? examples : Math.min(size, examples);
    return settings.with(
        List.of(
            "data.train-size=" + count,
            "training.batch-size=" + count,
            "training.iterations=" + ITERATIONS,
            "training.seconds=0",
            // Whether so few examples are learned well is not the question.
            "training.divergence-factor=1e300",
            "training.evaluate-every=0",
            // In memory: what is left of a run that diverges.
            "training.checkpoint-every=1"));
  }

  private List<Finding> check(Cluster cluster, TrainingRun run) throws IOException {
    Problem problem = run.problem();
    DataSource source = problem.data().train();
    int count = Math.toIntExact(source.size());
    Settings settings = run.settings();
    long seed = settings.longValue("training.seed");
    int threads = cluster.threadsPerTask(settings);
    Nd4jBackend backend = new Nd4jBackend(Precision.DOUBLE, MOST, count, threads);
    Sample sample = new Sample(problem.network(), backend, source.read(0, count));
    double[] theta = sample.moved(problem.model().theta(), seed);
    System.out.printf(
        Locale.ROOT,
        "%s: %d examples, %,d parameters, seed %d%n%n",
        run.name(),
        count,
        theta.length,
        seed);
    Findings findings = new Findings();
    BlockCheck.Result blocks;
    try (LocalObjective local =
            new LocalObjective(
                problem.network(), backend, Precision.DOUBLE, LocalObjective.read(source, 1));
        Objective objective = new FilteredObjective(local, computed)) {
      findings.add(new GradientCheck(sample, objective).run(theta, seed));
      findings.add(List.of(new ProductCheck(sample, objective).run(theta, seed)));
      blocks =
          new BlockCheck(sample, objective, settings, Cluster.driver(Precision.DOUBLE))
              .run(theta, seed);
      findings.add(blocks.findings());
    }
    PartitionCheck partitions = PartitionCheck.of(problem.network(), source, threads);
    findings.add(partitions.run(theta, seed));
    findings.add(List.of(onCluster(cluster, settings, partitions, theta, seed)));
    findings.add(List.of(twice(cluster, run)));
    findings.add(new SaveCheck(problem.model().model(), sample, saved).run(theta));
    printBlocks(blocks);
    return findings.all;
  }

  private static Finding onCluster(
      Cluster cluster, Settings settings, PartitionCheck check, double[] theta, long seed) {
    int partitions = check.partitions(cluster.partitions(settings));
    try (SparkObjective many = cluster.objective(settings, check, partitions)) {
      return check.compare("partitions", partitions + " on the cluster", many, theta, seed);
    }
  }

  private static Finding twice(Cluster cluster, TrainingRun run) {
    Settings settings = run.settings();
    String what =
        "%d iterations of %s, %s"
            .formatted(
                ITERATIONS, settings.text("optimizer.name"), settings.text("training.precision"));
    try (SparkObjective train = cluster.trainingObjective(settings, run.problem())) {
      return RepeatCheck.run(what, () -> train(run, train));
    }
  }

  private static RepeatCheck.Ending train(TrainingRun run, SparkObjective train) {
    double[][] before = {run.problem().model().theta()};
    Trainer.Checkpoints checkpoints = (iteration, state) -> before[0] = state.doubles("theta");
    try {
      double[] theta = run.train(train, train, List.of(), checkpoints, null).theta();
      return new RepeatCheck.Ending(theta, null);
    } catch (DivergedException e) {
      return new RepeatCheck.Ending(before[0], String.valueOf(e.getMessage()));
    }
  }

  /** Findings, each printed once it is there. */
  private static final class Findings {
    private static final String FORMAT = "%-41s  %8s  %9s  %-14s  %s%n";
    private final List<Finding> all = new ArrayList<>();

    Findings() {
      System.out.printf(FORMAT, "check", "error", "tolerance", "", "compared");
    }

    void add(List<Finding> found) {
      for (Finding each : found) {
        System.out.printf(
            FORMAT,
            each.check(),
            Finding.number(each.error()),
            Finding.number(each.tolerance()),
            each.outcome().text(),
            each.compared());
        all.add(each);
      }
    }
  }

  /** How good the approximations are, a line for each layer and a column for each of them. */
  private static void printBlocks(BlockCheck.Result result) {
    List<BlockQuality> blocks = result.blocks();
    if (blocks.isEmpty()) {
      return;
    }
    Map<String, Map<String, String>> byLayer = new LinkedHashMap<>();
    TreeSet<String> entries = new TreeSet<>();
    for (BlockQuality each : blocks) {
      // Another form of damping, of the same block.
      String entry = each.entry().replaceAll(" (factored|eigen)$", "");
      entries.add(entry);
      byLayer
          .computeIfAbsent(each.layer() + " (" + each.block() + ")", key -> new LinkedHashMap<>())
          .put(entry, String.format(Locale.ROOT, "%.3f ×%.3f", each.error(), each.traceRatio()));
    }
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("layer"));
    head.addAll(entries);
    rows.add(head);
    byLayer.forEach(
        (layer, cells) -> {
          List<String> row = new ArrayList<>(List.of(layer));
          entries.forEach(entry -> row.add(cells.getOrDefault(entry, "–")));
          rows.add(row);
        });
    System.out.println();
    System.out.println(
        "‖F̂ − F‖ / ‖F‖ and tr F̂ / tr F of layers' blocks, undamped, against their Fisher blocks: "
            + result.examples());
    TextTable.lines(rows).forEach(System.out::println);
  }
}
