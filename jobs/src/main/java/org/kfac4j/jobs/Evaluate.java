package org.kfac4j.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.spark.SparkUserAppException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Storage;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.network.Shape;
import org.kfac4j.spark.SparkObjective;
import org.kfac4j.training.Evaluation;
import org.kfac4j.training.Evaluator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says how well a trained network does on a conf file's data. */
@Command(
    name = "evaluate",
    description =
        "Scores a trained network on the test and training set that a conf file names: loss in nats per example,"
            + " without l2, and squared error per example (autoencoder) or accuracy (classifier).",
    footer = "Exit codes: 0 done, 2 bad configuration or input, 1 anything else.")
public final class Evaluate implements Callable<Integer> {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "A model saved by train or by DL4J (zip); a path or any Hadoop URI. Default: model.zip in output.dir")
  private String modelUri = "";

  @Option(names = "--json", description = "Print one JSON object instead of a table")
  private boolean json;

  public static void main(String[] args) throws SparkUserAppException {
    Job.run(new Evaluate(), args);
  }

  @Override
  public Integer call() throws IOException {
    Storage storage = Cluster.storage();
    Settings settings = options.settings(storage);
    if (options.printConfig) {
      System.out.print(settings.render());
      return 0;
    }
    String uri =
        modelUri.isEmpty() ? RunFolder.from(settings, options.name(), storage).model() : modelUri;
    Problem problem = Problem.of(model(settings, storage, uri), settings, storage);
    List<Score> scores = new ArrayList<>();
    try (Cluster cluster = Cluster.start(options.name())) {
      scores.add(score("test", cluster, settings, problem, problem.data().test()));
      scores.add(score("training", cluster, settings, problem, problem.data().train()));
    }
    if (json) {
      System.out.println(toJson(uri, scores));
    } else {
      table(uri, scores).forEach(System.out::println);
    }
    return 0;
  }

  private static Dl4jModel.Loaded model(Settings settings, Storage storage, String uri)
      throws IOException {
    InvalidInputException.require(
        storage.exists(uri), "no model at %s: train first, or name another with --model", uri);
    Dl4jModel.Loaded model = Dl4jModel.read(storage, uri, 0, image(settings, storage));
    InvalidInputException.require(
        model.saved(),
        "%s is a configuration without weights: --model needs a saved model (zip)",
        uri);
    return model;
  }

  /** What images are, if the settings or the model that they begin with say it. */
  private static @Nullable Shape image(Settings settings, Storage storage) throws IOException {
    Shape image = ModelSettings.image(settings.config("model"));
    String file = settings.text("model.file");
    // The trained model may be all that is left.
    if (image != null || file.isEmpty() || !storage.exists(file)) {
      return image;
    }
    Shape input = ModelSettings.from(settings).create(storage, 0).model().network().input();
    return input.isVector() ? null : input;
  }

  private record Score(String set, long examples, Evaluation evaluation) {
    double metric() {
      Double accuracy = evaluation.accuracy();
      return accuracy != null ? accuracy : evaluation.score();
    }
  }

  private static Score score(
      String set, Cluster cluster, Settings settings, Problem problem, DataSource source) {
    try (SparkObjective objective = cluster.objective(settings, problem, source)) {
      Evaluator evaluator = new Evaluator(objective, source.shape().classes());
      return new Score(set, source.size(), evaluator.evaluate(problem.model().theta(), false));
    }
  }

  private static String metricName(Score score) {
    return score.evaluation.accuracy() != null ? "accuracy" : "error";
  }

  private static List<String> table(String uri, List<Score> scores) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of(uri, "examples", "loss", metricName(scores.get(0))));
    for (Score score : scores) {
      String format = score.evaluation.accuracy() != null ? "%.4f" : "%.6g";
      rows.add(
          List.of(
              score.set,
              String.format(Locale.ROOT, "%,d", score.examples),
              String.format(Locale.ROOT, "%.6g", score.evaluation.loss()),
              String.format(Locale.ROOT, format, score.metric())));
    }
    return TextTable.lines(rows);
  }

  private static String toJson(String uri, List<Score> scores) {
    ObjectNode root = Json.object().put("model", uri);
    for (Score score : scores) {
      ObjectNode object = root.putObject(score.set).put("examples", score.examples);
      Json.put(object, "loss", score.evaluation.loss());
      Json.put(object, metricName(score), score.metric());
    }
    return root.toString();
  }
}
