package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.Storage;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.ComparedRun;
import org.kfac4j.training.Comparison;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.Progress;
import org.kfac4j.training.RunInfo;
import org.kfac4j.training.TrainingListener;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains one network with several optimizers and says which gets how far at what cost. */
@Command(
    name = "compare",
    description = {
      "Trains CONF's network with every optimizer that compare.optimizers names, one after the other in one application: the same",
      "initial weights, cached data, order of examples and budget. Writes a table, CSV, JSON and report.html to output.dir."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 1 anything else.")
public final class Compare implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--resume",
      description = "Continue the comparison in output.dir: runs that have ended are not repeated")
  private boolean resume;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Compare(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    List<ComparePlan> plans = ComparePlan.of(settings);
    List<Double> targets = settings.numbers("compare.targets");
    List<TrainingRun> runs = runs(plans, storage);
    RunFolder place = RunFolder.from(settings, options.name(), storage);
    place.requireWritable();
    String data = DataMark.of(runs.get(0).problem().data().train());
    CompareFolder folder = new CompareFolder(storage, place.dir(), data);
    List<@Nullable ComparedRun> ended = new ArrayList<>();
    if (resume) {
      InvalidInputException.require(
          folder.holdsComparison(), "--resume: output.dir %s holds no comparison", place.dir());
      for (ComparePlan plan : plans) {
        ended.add(folder.ended(plan).orElse(null));
      }
    } else {
      InvalidInputException.require(
          settings.flag("output.overwrite") || !folder.holdsComparison(),
          "output.dir %s already holds a comparison: choose another, --resume it, or --set output.overwrite=true",
          place.dir());
      place.check(settings.flag("output.overwrite"));
      plans.forEach(plan -> ended.add(null));
    }
    try (Cluster cluster = Cluster.start(options.name())) {
      compare(cluster, settings, plans, runs, folder, ended, targets);
    }
    return 0;
  }

  /** Everything is checked before anything runs. */
  private static List<TrainingRun> runs(List<ComparePlan> plans, Storage storage)
      throws IOException {
    List<TrainingRun> runs = new ArrayList<>();
    for (ComparePlan plan : plans) {
      try {
        TrainingRun run =
            runs.isEmpty()
                ? TrainingRun.from(plan.settings(), plan.folder(), storage)
                : runs.get(0).with(plan.settings(), plan.folder());
        RunPlan.of(run, new SparkConf()).requireFits();
        runs.add(run);
      } catch (InvalidInputException e) {
        throw new InvalidInputException(
            "compare.optimizers \"" + plan.optimizer() + "\": " + e.getMessage(), e);
      }
    }
    return runs;
  }

  private void compare(
      Cluster cluster,
      Settings settings,
      List<ComparePlan> plans,
      List<TrainingRun> runs,
      CompareFolder folder,
      List<@Nullable ComparedRun> ended,
      List<Double> targets)
      throws IOException {
    Problem problem = runs.get(0).problem();
    DataSet data = problem.data();
    Map<String, String> environment = new TreeMap<>(Cluster.versions());
    environment.putAll(cluster.describe(settings));
    try (SparkObjective train = cluster.trainingObjective(settings, problem);
        SparkObjective test = cluster.objective(settings, problem, data.test())) {
      if (!resume) {
        folder.clear(); // Not before: a comparison that cannot start replaces nothing.
      }
      List<ComparedRun> done = new ArrayList<>();
      Comparison comparison = new Comparison(options.name(), targets, done);
      for (int i = 0; i < plans.size(); i++) {
        ComparePlan plan = plans.get(i);
        ComparedRun before = ended.get(i);
        System.out.printf(
            "run %d of %d: %s%s%n",
            i + 1, plans.size(), plan.folder(), before == null ? "" : ", which has ended");
        done.add(before == null ? train(cluster, plan, runs.get(i), folder, train, test) : before);
        comparison = new Comparison(options.name(), targets, done);
        folder.write(comparison, shared(plans), environment);
      }
      System.out.println();
      TextTable.lines(comparison.table()).forEach(System.out::println);
      System.out.println("* first, > ended before");
      comparison.winners().forEach(System.out::println);
      System.out.println("comparison  " + folder.dir());
    }
  }

  private static Map<String, String> shared(List<ComparePlan> plans) {
    return OptimizerGrid.common(plans.stream().map(ComparePlan::settings).toList());
  }

  private ComparedRun train(
      Cluster cluster,
      ComparePlan plan,
      TrainingRun run,
      CompareFolder folder,
      SparkObjective train,
      SparkObjective test)
      throws IOException {
    RunFolder own =
        new RunFolder(
            folder.storage(),
            folder.run(plan),
            plan.settings().positiveInt("training.checkpoints-kept"));
    // What is not known to be of these settings is not gone on with.
    Snapshot saved = resume && folder.hasBegun(plan) ? own.latest().orElse(null) : null;
    if (saved == null) {
      own.clear();
    }
    folder.begin(plan);
    List<IterationRecord> records = new ArrayList<>();
    TrainingListener collector =
        new TrainingListener() {
          @Override
          public void replayed(IterationRecord record) {
            records.add(record);
          }

          @Override
          public void iteration(IterationRecord record) {
            records.add(record);
          }
        };
    TrainingListener progress = Progress.forTerminal(Help.Ansi.AUTO.enabled(), System.out);
    SparkObjective objective = train.withNetwork(run.problem().network());
    String outcome;
    try (progress;
        TrainingListener metrics = new MetricsWriter(folder.storage())) {
      int from = saved == null ? 0 : Math.toIntExact(saved.longValue("iteration"));
      RunInfo info = run.info(own.dir(), from, cluster.describe(plan.settings()));
      progress.started(info);
      metrics.started(info);
      run.warmUp(objective);
      outcome =
          run.train(
                  objective,
                  test.withNetwork(run.problem().network()),
                  List.of(progress, metrics, collector),
                  own::save,
                  saved)
              .summary()
              .reason();
    } catch (DivergedException e) {
      outcome = "diverged: " + e.getMessage();
      System.out.println(outcome);
    }
    folder.end(plan, outcome);
    return new ComparedRun(plan.optimizer(), plan.point(), outcome, records);
  }
}
