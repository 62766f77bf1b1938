package org.kfac4j.cost;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.kfac4j.InvalidInputException;

/**
 * Fits {@link CostRates} to measured runs. Of each kind of pass, the median seconds of the slowest
 * task of each run are fitted by t(e, s) of {@link PassRate} with non-negative least squares of
 * relative errors; everything else is a median. Costs beside tasks (jobs, merging, the driver) come
 * from runs with a local master alone: what processes cost each other is in {@link TransportRates}.
 * Without such a run the driver's costs come from the others, less {@link TransportRates}' storing
 * of broadcasts, and nothing is known of local masters.
 */
public final class CostFit {
  /** Sizes that differ by less are one size: noise would decide. */
  private static final double DIFFERENT = 1.25;

  private final IterationWork work;
  private final TransportRates transport;
  private final List<MeasuredRun> runs;
  private final List<MeasuredRun> local;

  /** Those that show what the driver costs. */
  private final List<MeasuredRun> driver;

  private final List<String> notes = new ArrayList<>();

  private CostFit(IterationWork work, TransportRates transport, List<MeasuredRun> runs) {
    this.work = work;
    this.transport = transport;
    this.runs = runs;
    this.local = runs.stream().filter(run -> run.cluster().local()).toList();
    this.driver = local.isEmpty() ? runs : local;
  }

  /**
   * The rates.
   *
   * @param transport what processes cost each other in runs that have no local master
   * @param runs of the same network and optimizer settings, with at least two numbers of examples
   *     per task; where executors make inverses, one of them with a local master
   * @throws InvalidInputException saying which runs are missing if those do not determine the rates
   */
  public static CostRates of(IterationWork work, TransportRates transport, List<MeasuredRun> runs) {
    return new CostFit(work, transport, List.copyOf(runs)).fit();
  }

  private CostRates fit() {
    InvalidInputException.require(!runs.isEmpty(), "a cost model needs at least one measured run");
    for (MeasuredRun run : local) {
      // What waits for a slot cannot be told from what a job costs.
      InvalidInputException.require(
          run.cluster().waves() == 1,
          "%s: a cost model needs runs with a local master to have a slot for each partition, got %d partitions: set data.partitions",
          run.name(),
          run.cluster().partitions());
    }
    InvalidInputException.require(
        !local.isEmpty() || !work.remoteInverses(),
        "a cost model needs at least one run with a local master where executors make inverses: it shows what these cost; got %s",
        names());
    boolean severalTasks =
        runs.stream().mapToInt(run -> run.cluster().concurrent()).distinct().count() > 1;
    requireSizes(severalTasks);
    Map<PassKind, PassRate> rates = new EnumMap<>(PassKind.class);
    work.passes().keySet().forEach(kind -> rates.put(kind, rate(kind, severalTasks)));
    if (!severalTasks) {
      notes.add(
          "all runs have %d tasks at a time on a machine: what tasks cost each other there is not known"
              .formatted(runs.get(0).cluster().concurrent()));
    }
    double job = localJob();
    double inverse = MeasuredRun.median(driver, run -> run.inverses(work));
    if (work.inversePeriod() > 0 && inverse == 0) {
      notes.add("no run made an inverse: it counts as nothing");
    }
    return new CostRates(
        rates,
        job,
        localMerge(job),
        convert(),
        MeasuredRun.median(driver, run -> run.phase("average")),
        inverse,
        driver.get(0).driverThreads(),
        MeasuredRun.median(driver, run -> run.phase("precondition")),
        MeasuredRun.median(driver, MeasuredRun::others),
        notes);
  }

  private String names() {
    return runs.stream().map(MeasuredRun::name).collect(Collectors.joining(", "));
  }

  private double examples(PassKind kind, MeasuredRun run) {
    return work.slowestExamples(kind, (double) run.batch(), run.cluster().partitions());
  }

  private void requireSizes(boolean severalTasks) {
    List<Double> sizes = runs.stream().map(run -> examples(PassKind.GRADIENT, run)).toList();
    double least = sizes.stream().mapToDouble(each -> each).min().orElse(0);
    double most = sizes.stream().mapToDouble(each -> each).max().orElse(0);
    InvalidInputException.require(
        most > DIFFERENT * least,
        "a cost model needs runs with two or more batch sizes per task, to tell what a task costs from what an example costs; %s %s about %.0f examples a task",
        names(),
        runs.size() == 1 ? "has" : "all have",
        least);
    List<double[]> rows = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      rows.add(row(sizes.get(i), runs.get(i).cluster().concurrent(), severalTasks));
      // As if a task cost what an average number of examples does: so all of them are seen.
      values.add(0.5 * (least + most) + sizes.get(i));
    }
    InvalidInputException.require(
        NonNegativeFit.isWellPosed(rows, values),
        "a cost model cannot tell what a task costs from what tasks on one machine cost each other with %s: add a run with as many tasks at a time as one of them, and another training.batch-size",
        names());
  }

  private static double[] row(double examples, int tasks, boolean severalTasks) {
    return severalTasks
        ? new double[] {1, examples, examples * (tasks - 1)}
        : new double[] {1, examples};
  }

  private PassRate rate(PassKind kind, boolean severalTasks) {
    List<double[]> rows = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    int mostTasks = 1;
    for (MeasuredRun run : runs) {
      double seconds = MeasuredRun.median(run.pass(kind.key()));
      if (seconds > 0) {
        int tasks = run.cluster().concurrent();
        mostTasks = Math.max(mostTasks, tasks);
        rows.add(row(examples(kind, run), tasks, severalTasks));
        values.add(seconds);
      }
    }
    InvalidInputException.require(
        rows.size() == runs.size(),
        "a cost model needs every kind of pass in every run, but %d of %d runs (%s) show no %s: runs need the same optimizer and more iterations",
        runs.size() - rows.size(),
        runs.size(),
        names(),
        kind.key());
    double[] found = NonNegativeFit.solve(rows, values);
    PassRate rate = new PassRate(found[0], found[1], severalTasks ? found[2] : 0, mostTasks);
    noteError(kind, rate, rows, values);
    return rate;
  }

  /** What does not fit is said: a model that is wrong by much should not look exact. */
  private void noteError(PassKind kind, PassRate rate, List<double[]> rows, List<Double> values) {
    double worst = 0;
    for (int i = 0; i < rows.size(); i++) {
      double predicted = rate.seconds(rows.get(i)[1], runs.get(i).cluster().concurrent());
      worst = Math.max(worst, Math.abs(predicted / values.get(i) - 1));
    }
    if (worst > 0.1) {
      notes.add(
          String.format(
              Locale.ROOT,
              "seconds of %s differ by up to %.0f %% from the fitted ones",
              kind.key(),
              100 * worst));
    }
  }

  /** What a broadcast takes on the driver, but storing it for others. */
  private double convert() {
    double each =
        MeasuredRun.median(driver, run -> run.phase("broadcast")) / (1 + work.directions());
    double stored = (double) work.numberBytes() * work.parameters() * transport.storePerByte();
    return local.isEmpty() ? Math.max(0, each - stored) : each;
  }

  /** Passes that send scalars show what a job costs; else the gradient's job, merging included. */
  private double localJob() {
    if (local.isEmpty()) {
      return Double.NaN;
    }
    List<Double> scalars = new ArrayList<>();
    for (PassKind kind : List.of(PassKind.PRODUCTS, PassKind.LOSS)) {
      local.forEach(run -> scalars.addAll(run.pass(kind.restKey())));
    }
    return scalars.isEmpty()
        ? MeasuredRun.median(local, run -> run.pass(PassKind.GRADIENT.restKey()))
        : MeasuredRun.median(scalars);
  }

  private double localMerge(double job) {
    if (local.isEmpty()) {
      return Double.NaN;
    }
    List<Double> perByte = new ArrayList<>();
    for (MeasuredRun run : local) {
      double bytes = (double) run.cluster().partitions() * work.numberBytes();
      run.rests(PassKind.GRADIENT, false)
          .forEach(
              seconds -> perByte.add(Math.max(0, seconds - job) / (bytes * work.parameters())));
      run.rests(PassKind.GRADIENT, true)
          .forEach(
              seconds ->
                  perByte.add(
                      Math.max(0, seconds - job) / (bytes * (work.parameters() + work.sums()))));
    }
    return MeasuredRun.median(perByte);
  }
}
