package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Footprint;
import org.kfac4j.spark.HadoopStorage;
import org.kfac4j.training.RunInfo.LayerRow;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says what a training takes before anything of it runs. */
@Command(
    name = "plan",
    description = {
      "Says what training as CONF says takes, without training: factor sizes, memory of driver and executors, bytes moved per",
      "iteration, seconds per refresh of inverses on this machine, and the flags for spark-submit."
    },
    footer =
        "Exit codes: 0 it fits, 2 bad configuration or input, or it does not fit, 1 anything else.")
public final class Plan implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Plan(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = new HadoopStorage(new Configuration());
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingRun run = TrainingRun.from(settings, options.name(), storage);
    RunPlan plan = RunPlan.of(run, new SparkConf());
    print(run, plan, RefreshRate.measure(Cluster.driver(run.problem().precision())));
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
        Bytes.text(plan.driverHeap()) + " of " + Bytes.text(plan.heapLimit()));
    line("  vectors of parameters", Bytes.text(plan.vectorBytes()));
    line("  averages of curvature", Bytes.text(plan.averageBytes()));
    line("  sums of tasks", Bytes.text(2 * plan.sumBytes()));
    line(
        "cached data" + (local ? "" : ", all executors"),
        Bytes.text(plan.dataBytes()) + ", or disk");
    line("driver, outside the heap", Bytes.text(plan.driverOutside()));
    if (!local) {
      line(
          "executor heap, at least",
          Bytes.text(plan.executorHeap())
              + " and its share of the data, of "
              + Bytes.text(plan.cores().executorHeap()));
      line("executor, outside the heap", Bytes.text(plan.executorOutside()));
    }
    line("  each of " + plan.cores().slots() + " tasks", Bytes.text(plan.taskOutside()));
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
    System.out.println("spark-submit " + String.join(" ", plan.flags()) + " …");
  }

  private static void line(String name, String value) {
    System.out.printf("%-28s%s%n", name, value);
  }
}
