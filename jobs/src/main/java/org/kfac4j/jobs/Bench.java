package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.data.Storage;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Kfac;
import org.kfac4j.optimizer.Optimizer;
import org.kfac4j.optimizer.Optimizers;
import org.kfac4j.spark.SparkExamples;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.BatchSizes;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.Trainer;
import org.kfac4j.training.TrainingListener;
import org.kfac4j.training.TrainingSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Times K-FAC iterations of the MNIST autoencoder on random data, phase by phase, against the
 * machine's rate of matrix products.
 */
@Command(
    name = "bench",
    description = {
      "Times K-FAC iterations of the MNIST autoencoder (or of CONF's model) on random data, phase by phase,",
      "and says what share of the cluster's matrix-product rate they reach: to see whether it is set up well."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 1 anything else.")
public final class Bench implements Callable<Integer> {
  private static final int TREE_DEPTH = 2;

  /** Iterations at the start that compilers and caches warm up in. */
  private static final int WARM_UP = 4;

  /** Of which one has neither an inverse nor another λ, with the periods of the paper. */
  private static final int LEAST = WARM_UP + 4;

  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--iterations",
      description = "Iterations to time (default ${DEFAULT-VALUE}); the first few are not counted")
  private int iterations = 24;

  @Option(
      names = "--preconditioners",
      split = ",",
      paramLabel = "NAME",
      description = {
        "Time these preconditioners against each other instead, in turns: kfac,ekfac,tkfac; a form of damping",
        "may follow a colon, as in kfac:eigen. Ratios are to the first"
      })
  private List<String> preconditioners = List.of();

  @Option(
      names = "--transport",
      paramLabel = "FILE",
      description = {
        "Measure instead what the cluster's processes cost each other (a job, a task, a byte of sums and of",
        "broadcasts), and write it to FILE for plan --transport"
      })
  private String transport = "";

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Bench(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    if (options.conf.isEmpty()) {
      // The paper's τ1, τ2 and periods are the defaults.
      options.overrides.add(0, "model.preset=mnist-autoencoder");
      options.overrides.add(1, "training.batch-size=4096");
      options.overrides.add(2, "model.init=xavier");
    }
    Settings settings = options.settingsOrDefaults(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    if (!transport.isEmpty()) {
      measureTransport(storage);
      return 0;
    }
    InvalidInputException.require(
        iterations >= LEAST || !preconditioners.isEmpty(),
        "--iterations must be at least %d, of which the first %d are not counted, got %d",
        LEAST,
        WARM_UP,
        iterations);
    Precision precision = settings.choice("training.precision", Precision.class);
    Optimizer optimizer = Optimizers.create(settings, Cluster.driver(precision));
    Map<String, Optimizer> rivals = new LinkedHashMap<>();
    for (String name : preconditioners) {
      rivals.put(
          name, Optimizers.create(withPreconditioner(settings, name), Cluster.driver(precision)));
    }
    Dl4jModel.Loaded model =
        ModelSettings.from(settings).create(storage, settings.longValue("training.seed"));
    Network network = model.model().network().withMoreL2(settings.nonNegative("optimizer.l2"));
    try {
      rivals.values().forEach(rival -> rival.check(network));
    } catch (IllegalArgumentException e) {
      throw new InvalidInputException(String.valueOf(e.getMessage()), e);
    }
    try (Cluster cluster = Cluster.start("bench")) {
      if (!rivals.isEmpty()) {
        compare(cluster, settings, precision, rivals, network, model.theta());
        return 0;
      }
      run(cluster, settings, precision, optimizer, network, model.theta());
    }
    return 0;
  }

  private void measureTransport(Storage storage) throws IOException {
    try (Cluster cluster = Cluster.start("bench")) {
      TransportRates rates = TransportProbe.measure(cluster.spark());
      TransportProbe.write(storage, transport, rates);
      TransportProbe.numbers(rates)
          .forEach((name, value) -> System.out.printf(Locale.ROOT, "%-14s%12.4g%n", name, value));
    }
  }

  private static Settings withPreconditioner(Settings settings, String name) {
    int colon = name.indexOf(':');
    List<String> overrides = new ArrayList<>(List.of("optimizer.name=kfac"));
    overrides.add("optimizer.preconditioner=" + (colon < 0 ? name : name.substring(0, colon)));
    if (colon >= 0) {
      overrides.add("curvature.damping=" + name.substring(colon + 1));
    }
    return settings.with(overrides);
  }

  private void compare(
      Cluster cluster,
      Settings settings,
      Precision precision,
      Map<String, Optimizer> rivals,
      Network network,
      double[] theta) {
    int batch = settings.positiveInt("training.batch-size");
    CostRatios ratios = new CostRatios(settings.positiveInt("curvature.inverse-period"));
    try (SparkObjective objective = objective(cluster, settings, precision, network, batch)) {
      ratios.measure(rivals, network, theta, objective, batch, iterations);
    }
    System.out.printf(
        Locale.ROOT, "random data, batch %d, %d parameters%n", batch, network.parameterCount());
    ratios.table().forEach(System.out::println);
  }

  private static SparkObjective objective(
      Cluster cluster, Settings settings, Precision precision, Network network, int batch) {
    SparkExamples examples =
        SparkExamples.load(
            cluster.spark(), new RandomExamples(network, 2L * batch), cluster.partitions(settings));
    return new SparkObjective(
        cluster.spark(),
        network,
        cluster.backend(settings, precision),
        precision,
        examples,
        cluster.devices(settings),
        TREE_DEPTH);
  }

  private void run(
      Cluster cluster,
      Settings settings,
      Precision precision,
      Optimizer optimizer,
      Network network,
      double[] theta) {
    int partitions = cluster.partitions(settings);
    int batch = settings.positiveInt("training.batch-size");
    List<IterationRecord> records = new ArrayList<>();
    List<Map<String, Double>> tasks = new ArrayList<>();
    List<Double> peaks = new ArrayList<>();
    try (SparkObjective objective = objective(cluster, settings, precision, network, batch)) {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void iteration(IterationRecord record) {
              records.add(record);
              // Between iterations, because a shared machine's speed changes from one second to the
              // next.
              peaks.add(
                  GemmPeak.measure(cluster.spark(), partitions, cluster.threadsPerTask(settings)));
              tasks.add(objective.taskPhases().drain());
            }
          };
      TrainingSettings training =
          new TrainingSettings(
              iterations, settings.longValue("training.seed"), 0, 0, 0, 0, null, false, 1e9);
      new Trainer(
              training,
              new BatchSizes(batch, objective.size(), 0),
              network,
              objective,
              null,
              List.of(listener),
              (k, s) -> {})
          .train(optimizer, theta, null);
    }
    report(settings, optimizer, network, batch, peaks, records, tasks);
  }

  /**
   * Medians over the counted iterations in which nothing but the usual happens, and refreshes of
   * inverses apart.
   */
  private static void report(
      Settings settings,
      Optimizer optimizer,
      Network network,
      int batch,
      List<Double> peaks,
      List<IterationRecord> records,
      List<Map<String, Double>> tasks) {
    WorkCount work =
        WorkCount.of(
            network,
            batch,
            Math.round(batch * settings.doubleValue("curvature.statistics-fraction")),
            Math.round(batch * settings.doubleValue("curvature.products-fraction")),
            2);
    Samples whole = new Samples();
    Map<String, Samples> phases = new TreeMap<>();
    Map<String, Samples> taskPhases = new TreeMap<>();
    Samples inverse = new Samples();
    Samples peak = new Samples();
    Samples share = new Samples();
    List<IterationRecord> counted = records.subList(WARM_UP, records.size());
    // Where every one has an inverse or another λ, that is the usual.
    boolean everyUsual = counted.stream().noneMatch(Bench::isUsual);
    for (int i = WARM_UP; i < records.size(); i++) {
      IterationRecord record = records.get(i);
      double seconds = record.seconds() - records.get(i - 1).seconds();
      if (record.phaseSeconds().containsKey("inverse")) {
        inverse.add(record.phaseSeconds().get("inverse"));
      }
      if (!everyUsual && !isUsual(record)) {
        continue;
      }
      whole.add(seconds);
      double around = 0.5 * (peaks.get(i - 1) + peaks.get(i));
      peak.add(around);
      share.add(work.total() / seconds / around);
      record
          .phaseSeconds()
          .forEach((name, value) -> phases.computeIfAbsent(name, n -> new Samples()).add(value));
      tasks
          .get(i)
          .forEach(
              (name, value) -> taskPhases.computeIfAbsent(name, n -> new Samples()).add(value));
    }
    System.out.printf(
        Locale.ROOT,
        "%s, batch %d, %d parameters%n",
        "K-FAC on random data",
        batch,
        network.parameterCount());
    System.out.printf(
        Locale.ROOT,
        "matrix-product peak       %8.1f GFLOP/s (float32, n = 2048, all task slots)%n",
        peak.median() * 1e-9);
    System.out.printf(
        Locale.ROOT, "counted work              %8.1f GFLOP an iteration%n%n", work.total() * 1e-9);
    System.out.printf(
        "%-26s%10s%10s%10s%12s%n", "phase (median)", "seconds", "share", "GFLOP", "GFLOP/s");
    double total = whole.median();
    phases.forEach(
        (name, samples) -> line(name, samples.median(), total, work.byPhase().get(name)));
    taskPhases.forEach(
        (name, samples) ->
            line("  task: " + name, samples.median(), total, work.byPhase().get(name)));
    line("iteration", total, total, work.total());
    if (!inverse.isEmpty()) {
      int candidates = optimizer instanceof Kfac kfac && kfac.inverses().gammaSearch() ? 3 : 1;
      line(
          "inverses, when due", inverse.median(), total, candidates * WorkCount.inversion(network));
    }
    System.out.printf(
        Locale.ROOT,
        "%nshare of the peak reached  %7.1f %% (median; each iteration against the peak before and after it)%n",
        100 * share.median());
  }

  private static boolean isUsual(IterationRecord record) {
    return !record.phaseSeconds().containsKey("inverse") && record.rho() == null;
  }

  private static void line(
      String name, double seconds, double total, @org.jspecify.annotations.Nullable Double work) {
    String rate =
        work == null
            ? String.format("%10s%12s", "", "")
            : String.format(Locale.ROOT, "%10.2f%12.1f", work * 1e-9, work * 1e-9 / seconds);
    System.out.printf(
        Locale.ROOT, "%-26s%10.4f%9.1f%%%s%n", name, seconds, 100 * seconds / total, rate);
  }
}
