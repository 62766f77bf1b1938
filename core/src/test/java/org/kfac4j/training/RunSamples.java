package org.kfac4j.training;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A made-up run that looks like one of a K-FAC autoencoder, for tests of what listens to runs. */
final class RunSamples {
  static final int EVERY = 20;

  private RunSamples() {}

  static RunInfo info(String outputDir, int iterations) {
    List<RunInfo.LayerRow> layers = new ArrayList<>();
    int[] widths = {784, 400, 200, 100, 50, 25, 6, 25, 50, 100, 200, 400, 784};
    for (int i = 0; i + 1 < widths.length; i++) {
      int in = widths[i];
      int out = widths[i + 1];
      layers.add(
          new RunInfo.LayerRow(
              "layer" + i,
              in + " → " + out,
              (in + 1L) * out,
              (in + 1) + "² ⊗ " + out + "²",
              i % 2 == 0 ? "Kronecker, 12.5 % sampled" : "Kronecker, eigen"));
    }
    Map<String, String> settings =
        Map.of(
            "training.batch-size", "1000",
            "training.iterations", String.valueOf(iterations),
            "optimizer.name", "kfac",
            "optimizer.damping.initial", "150",
            "data.path", "hdfs://namenode:8020/data/<curves> & \"more\"",
            "model.layers", "[784,400,200,100,50,25,6,25,50,100,200,400,784]");
    return new RunInfo(
        "curves-autoencoder <1>",
        outputDir,
        iterations,
        0,
        20_000,
        10_000,
        settings,
        Map.of("kfac4j", "0.1.0", "java", "17.0.12", "spark", "3.5.7", "nd4j", "1.0.0-M2.1"),
        Map.of("master", "local[2]", "cores", "2", "threads per task", "1"),
        layers);
  }

  static List<IterationRecord> records(int iterations) {
    List<IterationRecord> records = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(7);
    double damping = 150;
    for (int k = 1; k <= iterations; k++) {
      double loss =
          52
              + 470 * Math.exp(-k / 12.0)
              + 60 * Math.exp(-k / 90.0)
              + 2.5 * (random.nextDouble() - 0.5);
      damping *= k % 5 == 0 ? random.nextDouble() < 0.8 ? 0.77 : 1.29 : 1;
      Map<String, Double> phases = new LinkedHashMap<>();
      phases.put("map", 0.21 + 0.05 * random.nextDouble());
      phases.put("aggregate", 0.08 + 0.02 * random.nextDouble());
      phases.put("precondition", 0.02);
      phases.put("broadcast", 0.011 + 0.004 * random.nextDouble());
      if (k % 20 == 0) {
        phases.put("inverse", 0.35 + 0.05 * random.nextDouble());
      }
      records.add(
          new IterationRecord(
              k,
              0.36 * k + 0.35 * Math.floorDiv(k, 20),
              1000,
              loss,
              damping,
              0.6 + 0.3 * random.nextDouble(),
              k == 1 ? null : 0.5 + 0.4 * random.nextDouble(),
              k % 5 == 0 ? 0.9 + 0.3 * random.nextDouble() : null,
              phases,
              curvature(k, random),
              evaluation(k, iterations, loss)));
    }
    return records;
  }

  private static Map<String, Double> curvature(int k, SplittableRandom random) {
    if (k > 3 && k % 20 != 0) {
      return Map.of();
    }
    Map<String, Double> curvature = new LinkedHashMap<>();
    for (int layer = 0; layer < 12; layer++) {
      curvature.put(
          "layer" + layer + " pi", Math.pow(2, layer - 5) * (0.9 + 0.2 * random.nextDouble()));
      curvature.put(
          "layer" + layer + " trace",
          1e4 / (1 + k) * Math.pow(3, -layer) * (0.8 + random.nextDouble()));
      curvature.put("layer" + layer + " recoveries", layer == 6 && k > 100 ? 1.0 : 0.0);
    }
    return curvature;
  }

  private static @Nullable Evaluation evaluation(int k, int iterations, double loss) {
    boolean due = k % EVERY == 0 || k == iterations;
    return due ? new Evaluation(loss + 1.5, (loss - 48) / 3, null, k > 60) : null;
  }

  static RunSummary summary(List<IterationRecord> records) {
    IterationRecord last = records.get(records.size() - 1);
    return new RunSummary(
        "iterations",
        last.iteration(),
        last.seconds(),
        0.36,
        last.iteration(),
        last.evaluation(),
        last.evaluation());
  }
}
