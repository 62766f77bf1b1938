package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.CostFit;
import org.kfac4j.cost.CostModel;
import org.kfac4j.cost.CostRates;
import org.kfac4j.cost.IterationCost;
import org.kfac4j.cost.IterationWork;
import org.kfac4j.cost.MeasuredRun;
import org.kfac4j.cost.TransportRates;
import org.kfac4j.data.Storage;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Footprint;
import org.kfac4j.training.RunInfo.LayerRow;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says what a training takes before anything of it runs. */
@Command(
    name = "plan",
    description = {
      "Says what training as CONF says takes, without training: factor sizes, memory of driver and executors, bytes moved per",
      "iteration, seconds per refresh of inverses on this machine, seconds per iteration with their parts, here and on clusters",
      "not rented yet (--executors), and the flags for spark-submit."
    },
    footer =
        "Exit codes: 0 it fits, 2 bad configuration or input, or it does not fit, 1 anything else.")
public final class Plan implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();
  @Mixin private ClusterOptions clusters = new ClusterOptions();

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Plan(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingRun run = TrainingRun.from(settings, options.name(), storage);
    RunPlan plan = RunPlan.of(run, new SparkConf());
    clusters.check();
    RefreshRate rate = RefreshRate.measure(Cluster.driver(run.problem().precision()));
    List<String> costs = costs(run, plan, rate, storage);
    print(run, plan, rate);
    costs.forEach(System.out::println);
    System.out.println();
    System.out.println("spark-submit " + String.join(" ", plan.flags()) + " …");
    plan.requireFits();
    return 0;
  }

  private static void print(TrainingRun run, RunPlan plan, RefreshRate rate) {
    Network network = run.problem().network();
    List<List<String>> layers = new ArrayList<>();
    layers.add(List.of("layer", "parameters", "factors", "preconditioned by"));
    for (LayerRow row : LayerTable.rows(network, run.optimizer())) {
      if (row.parameters() > 0) {
        layers.add(
            List.of(
                row.layer(),
                String.format(Locale.ROOT, "%,d", row.parameters()),
                row.factors(),
                row.curvature()));
      }
    }
    TextTable.lines(layers).forEach(System.out::println);
    System.out.println();
    Footprint curvature = plan.curvature();
    boolean local = plan.cores().local();
    line(
        "driver heap, at least",
        Bytes.text(plan.driverHeap()) + " of " + Bytes.text(plan.driver().heap()));
    line("  vectors of parameters", Bytes.text(plan.vectorBytes()));
    line("  averages of curvature", Bytes.text(plan.averageBytes()));
    line("  sums of tasks", Bytes.text(2 * plan.sumBytes()));
    line(
        "cached data" + (local ? "" : ", all executors"),
        Bytes.text(plan.dataBytes()) + ", or disk");
    line("driver, outside the heap", Bytes.text(plan.driverOutside()));
    if (local) {
      tasks(plan);
    }
    process("driver's process, at least", plan.certain().driver(), plan.driver());
    if (!local) {
      line(
          "executor heap, at least",
          Bytes.text(plan.executorHeap())
              + " and its share of the data, of "
              + Bytes.text(plan.cores().executorHeap()));
      line("executor, outside the heap", Bytes.text(plan.executorOutside()));
      tasks(plan);
      process("executor process, at least", plan.certain().executor(), plan.executor());
    }
    line("an iteration sends", Bytes.text(plan.sentBytes()) + " to each executor");
    line("  and gets back", Bytes.text(plan.returnedBytes()) + " from each task");
    if (!curvature.inverted().isEmpty() || !curvature.decomposed().isEmpty()) {
      RefreshRate there = rate.on(plan.inverseThreads());
      line("inverses are made", plan.inverses().text);
      line(
          "a refresh takes",
          String.format(Locale.ROOT, "%.2f s (%s)", there.seconds(curvature), there.describe()));
      if (plan.inverses() != RunPlan.Place.DRIVER) {
        line("  and sends", Bytes.text(plan.averageBytes()) + " to executors, each its layers");
      }
    }
    if (curvature.bases() > 0) {
      line("  and sends", Bytes.text(plan.number() * curvature.bases()) + " to each executor");
    }
    System.out.println();
  }

  /**
   * What an iteration takes where it is configured to run, and on the clusters that are asked for.
   */
  private List<String> costs(TrainingRun run, RunPlan plan, RefreshRate rate, Storage storage)
      throws IOException {
    if (run.optimizer().needsAllExamples()) {
      InvalidInputException.require(
          clusters.metrics.isEmpty() && clusters.executors.isEmpty(),
          "--metrics and --executors need an optimizer with a fixed number of passes, got optimizer.name = %s",
          run.settings().text("optimizer.name"));
      return List.of();
    }
    Network network = run.problem().network();
    IterationWork work =
        IterationWork.of(
            network,
            run.optimizer(),
            run.problem().precision(),
            run.problem().data().train().size());
    TransportRates transport =
        clusters.transport.isEmpty()
            ? TransportRates.DEFAULT
            : TransportProbe.read(storage, "--transport", clusters.transport);
    CostRates rates;
    if (clusters.metrics.isEmpty()) {
      rates = CostEstimate.of(network, work, plan.curvature(), rate);
    } else {
      List<MeasuredRun> runs = new ArrayList<>();
      for (String folder : clusters.metrics) {
        runs.add(MeasuredFolder.read(storage, folder, run.settings(), network.parameterCount()));
      }
      rates = CostFit.of(work, transport, runs);
    }
    CostModel model = new CostModel(work, rates, transport);
    long batch = run.batchSizes().at(1);
    ClusterSpec here =
        clusters.configured(plan.cores(), run.settings().nonNegativeInt("data.partitions"));
    IterationCost cost = model.predict(here, batch);
    List<String> lines = new ArrayList<>(CostTables.parts(cost));
    if (clusters.iterations > 0) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%d iterations take %.1f s",
              clusters.iterations,
              cost.secondsTo(clusters.iterations)));
    }
    List<ClusterSpec> rented = clusters.rented(plan.cores());
    if (!rented.isEmpty()) {
      lines.add("");
      lines.addAll(CostTables.clusters(model, rented, batch, clusters.iterations));
    }
    rates.notes().forEach(note -> lines.add("note: " + note));
    return lines;
  }

  private static void tasks(RunPlan plan) {
    line("  each of " + plan.cores().slots() + " tasks", Bytes.text(plan.taskOutside()));
  }

  /** Heap and native arrays together. */
  private static void process(String name, long least, ProcessMemory memory) {
    String bound = memory.bound();
    line(name, Bytes.text(least) + (bound.isEmpty() ? "" : " of " + bound));
  }

  private static void line(String name, String value) {
    System.out.printf("%-28s%s%n", name, value);
  }
}
