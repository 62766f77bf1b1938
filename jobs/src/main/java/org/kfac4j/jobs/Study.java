package org.kfac4j.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.Storage;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.study.Budget;
import org.kfac4j.study.Forecast;
import org.kfac4j.study.StudyPage;
import org.kfac4j.study.StudyResults;
import org.kfac4j.study.StudyRun;
import org.kfac4j.study.Target;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds out which optimizer makes use of larger batches, and up to which. */
@Command(
    name = "study",
    description = {
      "Trains CONF's network with every optimizer, grid point and batch size that its block study names, in one application on the",
      "same cached data, and says how the iterations to each target fall as batches grow. Writes tables, runs.parquet and report.html."
    },
    footer = "Exit codes: 0 done, 2 bad configuration or input, 1 anything else.")
public final class Study implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--resume",
      description = "Continue the study in output.dir: runs that have ended are not repeated")
  private boolean resume;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Study(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    TrainingRun base = TrainingRun.from(onSmallest(settings), options.name(), storage);
    StudyPlan plan = StudyPlan.of(settings, base.problem().data().train().size());
    checkTargets(plan, base.problem());
    plan.forecast().transport(storage); // A file that is not there is said now, not at the end.
    int together = settings.positiveInt("study.parallel-runs");
    for (StudyTask task : plan.tuning()) {
      RunPlan.of(base.with(plan.settings(task), task.title()), new SparkConf())
          .together(together)
          .requireFits();
    }
    Map<Long, double[]> starts = new TreeMap<>();
    for (long seed : plan.seeds()) {
      starts.put(seed, ModelSettings.from(settings).create(storage, seed).theta());
    }
    RunFolder place = RunFolder.from(settings, options.name(), storage);
    place.requireWritable();
    StudyFolder folder = new StudyFolder(storage, place.dir());
    String data = DataMark.of(base.problem().data().train());
    folder.check(settings, data, resume);
    if (!resume) {
      place.check(settings.flag("output.overwrite"));
    }
    try (Cluster cluster = Cluster.start(options.name());
        SparkObjective train = cluster.trainingObjective(settings, base.problem());
        SparkObjective test =
            cluster.objective(settings, base.problem(), base.problem().data().test())) {
      if (!resume) {
        folder.clear(); // Not before: a study that cannot start replaces nothing.
      }
      folder.begin(settings, data);
      Map<String, String> here = new TreeMap<>(Cluster.versions());
      here.putAll(cluster.describe(settings));
      StudyRunner runner =
          new StudyRunner(cluster.spark(), plan, base, starts, folder, train, test, together, here);
      List<StudyRun> runs = new ArrayList<>(runner.all(plan.tuning()));
      Set<StudyTask> more = new LinkedHashSet<>(plan.confirmation(runs));
      runs.addAll(runner.all(List.copyOf(more)));
      StudyResults results = plan.results(options.name(), runs);
      Forecast forecast = StudyForecast.of(plan, base, folder, results, here);
      Map<String, Map<String, String>> own = new TreeMap<>();
      plan.optimizers().forEach(each -> own.put(each.name(), each.settings()));
      Map<String, String> environment = folder.environment(plan, runs, here);
      folder.write(
          results, new StudyPage(results, own, plan.sharedSettings(), environment, forecast));
      StudyParquet.write(plan, results, storage, folder.parquet());
      tell(results, folder);
    }
    return 0;
  }

  /** What all runs share, with a batch that the data has whatever training.batch-size says. */
  private static Settings onSmallest(Settings settings) {
    return settings.with(List.of("training.batch-size=1"));
  }

  /**
   * @throws InvalidInputException if a target is of a metric that this model and data do not have
   */
  private static void checkTargets(StudyPlan plan, Problem problem) {
    boolean classes = problem.data().test().shape().classes();
    for (Target target : plan.targets()) {
      InvalidInputException.require(
          target.metric() != (classes ? Target.Metric.TEST_ERROR : Target.Metric.TEST_ACCURACY),
          "study.targets: %s is not measured of %s",
          target.metric().key(),
          classes ? "a classifier" : "vector targets");
    }
  }

  private static void tell(StudyResults results, StudyFolder folder) {
    for (Target target : results.targets()) {
      for (Budget budget : results.budgets()) {
        System.out.printf("%n%s, %s budget%n", target.label(), budget.label());
        TextTable.lines(results.table(target, budget)).forEach(System.out::println);
      }
    }
    System.out.println();
    results.conclusions().forEach(conclusion -> System.out.println(conclusion.text() + "\n"));
    System.out.println("study  " + folder.dir());
  }
}
