package org.kfac4j.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.optimizer.Footprint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** The bytes and seconds that a plan prints, against counts by hand. */
class PlanBytesTest {
  private static final long EXAMPLES = 40;
  private static final double MIB = 1 << 20;

  /** Of Spark, in the driver and in an executor. */
  private static final long SPARK = 300L << 20;

  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  /** 784 inputs and a one to 500 units, 500 and a one to 10 classes. */
  private static final long DENSE = 785L * 500 + 501 * 10;

  private static final long DENSE_TRIANGLES =
      triangle(785) + triangle(500) + triangle(501) + triangle(10);

  /** A⁻¹, G⁻¹, and two matrices like the layer's weights to work in. */
  private static final long DENSE_MAPS =
      square(785) + square(500) + 2 * 785 * 500 + square(501) + square(10) + 2 * 501 * 10;

  /** Room for 1024 examples and a quarter more: the input, the first layer, its tanh, the last. */
  private static final long DENSE_VALUES = (784L + 500 + 500 + 10) * 1280;

  @TempDir Path temporary;

  private static long triangle(long n) {
    return n * (n + 1) / 2;
  }

  private static long square(long n) {
    return n * n;
  }

  private static String text(long bytes) {
    return bytes < 1024 * MIB
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / MIB)
        : String.format(Locale.ROOT, "%.1f GiB", bytes / MIB / 1024);
  }

  private Path conf(int side, String model, String more) throws IOException {
    Path folder = temporary.resolve("data");
    IdxFolder data = IdxFolder.write(folder, Math.toIntExact(EXAMPLES), 20, side, side);
    return Plans.conf(temporary, data, model, more);
  }

  private Path dense(String more) throws IOException {
    return conf(28, "layers = [784, 500, 10], activation = tanh, loss = mcxent", more);
  }

  private static Map<String, String> figures(Jobs.Ended plan) {
    assertThat(plan.code()).as(plan.err()).isZero();
    return Plans.figures(plan);
  }

  private static Map<String, String> local(Path conf) {
    return figures(Jobs.run(new Plan(), conf.toString()));
  }

  /** K-FAC with the exact step and a search of γ, two tasks in the driver's process. */
  @Test
  void ofADenseNetworkWithLocalTasks() throws IOException {
    // θ, the next one, the update and the last one, the gradient and its sum, four directions; of
    // the run the average and the best.
    long vectors = 8 * 13 * DENSE;
    long averages = 8 * DENSE_TRIANGLES;
    long sums = 4 * (DENSE + DENSE_TRIANGLES);
    long tasksHeap = 2 * (4 * 3 * DENSE + sums);
    long task = 4 * (3 * (DENSE + DENSE_VALUES) + 2 * DENSE_TRIANGLES);
    long work = 3L * Math.min(PROCESSORS, 4) * square(785);
    // Activations work in place: a task certainly has no values of the tanh.
    long taskLeast = 4 * (3 * (DENSE + DENSE_VALUES - 500 * 1280) + DENSE_TRIANGLES);
    long least = SPARK + 8 * 4 * DENSE + averages + sums + 4 * 2 * DENSE_MAPS + 2 * taskLeast;
    assertThat(local(dense("")))
        .containsEntry(
            "driver heap, at least",
            text(SPARK + vectors + averages + 2 * sums + tasksHeap)
                + " of "
                + text(Runtime.getRuntime().maxMemory()))
        .containsEntry("vectors of parameters", text(vectors))
        .containsEntry("averages of curvature", text(averages))
        .containsEntry("sums of tasks", text(2 * sums))
        .containsEntry("cached data", text(4 * EXAMPLES * 785) + ", or disk")
        .containsEntry("driver, outside the heap", text(4 * (2 * DENSE_MAPS + work) + 2 * task))
        .containsEntry("each of 2 tasks", text(task))
        .containsEntry(
            "driver's process, at least",
            text(least) + " of " + text(Pointer.maxPhysicalBytes()) + " (JavaCPP)")
        .containsEntry("an iteration sends", text(4 * 3 * DENSE) + " to each executor")
        .containsEntry("and gets back", text(sums) + " from each task")
        .containsEntry("inverses are made", "on the driver")
        .doesNotContainKey("and sends");
  }

  /** With one direction, statistics every fifth time and no search of γ. */
  @Test
  void ofTheSameWithFewerDirectionsAndStatistics() throws IOException {
    String more =
        """
        optimizer.exact-momentum = false
        curvature { statistics-period = 5, gamma-search = false }
        """;
    assertThat(local(dense(more)))
        .containsEntry("vectors of parameters", text(8 * 11 * DENSE))
        .containsEntry("an iteration sends", text(4 * 2 * DENSE) + " to each executor")
        .containsEntry(
            "and gets back", text(4 * (DENSE + DENSE_TRIANGLES / 5)) + " from each task");
  }

  /** Of a first-order method: θ, the update, the gradient and its sum, m and v. */
  @Test
  void ofAdam() throws IOException {
    long task = 4 * 3 * (DENSE + DENSE_VALUES);
    assertThat(local(dense("optimizer.name = adam")))
        .containsEntry("vectors of parameters", text(8 * (6 + 3) * DENSE))
        .containsEntry("averages of curvature", text(0))
        .containsEntry("sums of tasks", text(2 * 4 * DENSE))
        .containsEntry("driver, outside the heap", text(2 * task))
        .containsEntry("each of 2 tasks", text(task))
        .containsEntry("an iteration sends", text(4 * DENSE) + " to each executor")
        .containsEntry("and gets back", text(4 * DENSE) + " from each task")
        .doesNotContainKey("inverses are made");
  }

  /** Four executors with two tasks each that make the inverses and keep them. */
  @Test
  void ofExecutorsThatKeepInverses() throws IOException {
    Map<String, String> spark =
        Map.of(
            "spark.master", "spark://somewhere:7077",
            "spark.executor.memory", "2g",
            "spark.executor.cores", "2",
            "spark.executor.instances", "4");
    long sums = 4 * (DENSE + DENSE_TRIANGLES);
    long averages = 8 * DENSE_TRIANGLES;
    long task = 4 * (3 * (DENSE + DENSE_VALUES) + 2 * DENSE_TRIANGLES);
    long made = 4 * (2 * DENSE_MAPS / 4 + 2 * 3 * square(785));
    long taskLeast = 4 * (3 * (DENSE + DENSE_VALUES - 500 * 1280) + DENSE_TRIANGLES);
    Jobs.Ended plan = Plans.with(spark, new Plan(), dense("curvature.placement = executors"));
    assertThat(figures(plan))
        .containsEntry(
            "driver heap, at least",
            text(SPARK + 8 * 13 * DENSE + averages + 2 * sums)
                + " of "
                + text(Runtime.getRuntime().maxMemory()))
        .containsEntry("driver, outside the heap", text(0))
        .containsEntry(
            "driver's process, at least",
            text(SPARK + 8 * 4 * DENSE + averages + sums)
                + " of "
                + text(Pointer.maxPhysicalBytes())
                + " (JavaCPP)")
        .containsEntry("cached data, all executors", text(4 * EXAMPLES * 785) + ", or disk")
        .containsEntry(
            "executor heap, at least",
            text(SPARK + 2 * (4 * 3 * DENSE + sums)) + " and its share of the data, of 2.0 GiB")
        .containsEntry("executor, outside the heap", text(2 * task + made))
        .containsEntry("each of 2 tasks", text(task))
        .containsEntry(
            "executor process, at least",
            text(SPARK + 2 * taskLeast + 4 * square(785)) + " of 8.0 GiB (JavaCPP)")
        .containsEntry("inverses are made", "on executors, which keep them")
        .containsEntry("and sends", text(averages) + " to executors, each its layers");
  }

  /** EKFAC of a convolution, whose bases tasks are sent. */
  @Test
  void ofAConvolutionalNetwork() throws IOException {
    String json =
        new NeuralNetConfiguration.Builder()
            .list()
            .layer(new ConvolutionLayer.Builder(5, 5).nOut(60).activation(Activation.RELU).build())
            .layer(
                new SubsamplingLayer.Builder(PoolingType.MAX).kernelSize(2, 2).stride(2, 2).build())
            .layer(
                new OutputLayer.Builder(new LossMCXENT())
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build())
            .setInputType(InputType.convolutionalFlat(16, 16, 1))
            .build()
            .toJson();
    Path file = Files.writeString(temporary.resolve("convolution.json"), json);
    Path conf = conf(16, "file = \"" + file + "\"", "optimizer.preconditioner = ekfac");
    // 25 pixels and a one to 60 maps of 12 × 12; pooled to 6 × 6 they are 2160 numbers and a one.
    long parameters = 26L * 60 + 2161 * 10;
    long triangles = triangle(26) + triangle(60) + triangle(2161) + triangle(10);
    long bases = square(26) + square(60) + square(2161) + square(10);
    // Image, maps, rectified maps, pooled maps, these as a vector, classes: as many examples as 64
    // MiB of them, and a quarter more.
    long values = 256L + 8640 + 8640 + 2160 + 2160 + 10;
    long rows = (1L << 24) / values;
    long capacity = rows + rows / 4;
    // There is an eigenvalue for each parameter.
    long averages = 8 * (triangles + parameters);
    long sums = 4 * (parameters + triangles + parameters);
    long task = 4 * (3 * (parameters + values * capacity) + 2 * (triangles + parameters) + bases);
    long maps = bases + 2 * parameters;
    long work = 3L * Math.min(PROCESSORS, 4) * square(2161);
    long taskLeast =
        4 * (3 * (parameters + (values - 8640) * capacity) + triangles + parameters + bases);
    long least = SPARK + 8 * 4 * parameters + averages + sums + 4 * 2 * maps + 2 * taskLeast;
    Jobs.Ended plan = Jobs.run(new Plan(), conf.toString());
    assertThat(plan.out()).contains("26² ⊗ 60² + 1560", "2161² ⊗ 10² + 21610");
    assertThat(figures(plan))
        .containsEntry("vectors of parameters", text(8 * (8 + 3) * parameters))
        .containsEntry("averages of curvature", text(averages))
        .containsEntry("sums of tasks", text(2 * sums))
        .containsEntry("driver, outside the heap", text(4 * (2 * maps + work) + 2 * task))
        .containsEntry("each of 2 tasks", text(task))
        .containsEntry(
            "driver's process, at least",
            text(least) + " of " + text(Pointer.maxPhysicalBytes()) + " (JavaCPP)")
        .containsEntry("an iteration sends", text(4 * 3 * parameters) + " to each executor")
        .containsEntry("and gets back", text(sums) + " from each task")
        .containsEntry("and sends", text(4 * bases) + " to each executor");
  }

  /** n³ each: side by side on threads, but none faster than the longest. */
  @Test
  void aRefreshTakesWhatItsMatricesTake() {
    RefreshRate rate = new RefreshRate(2e-9, 10e-9, 2);
    assertThat(rate.seconds(work(List.of(1000, 1000, 500), List.of(500))))
        .isCloseTo((2 + 2 + 0.25 + 1.25) / 2, within(1e-12));
    assertThat(rate.seconds(work(List.of(2000, 1000), List.of()))).isCloseTo(16, within(1e-12));
    assertThat(rate.on(8).seconds(work(List.of(1000, 1000), List.of(1000))))
        .isCloseTo(10, within(1e-12));
    assertThat(rate.on(1).seconds(work(List.of(1000, 1000), List.of(1000))))
        .isCloseTo(14, within(1e-12));
    assertThat(rate.describe())
        .startsWith("2.00 s per inverse and 10.00 s per eigen")
        .endsWith("2 threads");
  }

  private static Footprint work(List<Integer> inverted, List<Integer> decomposed) {
    return new Footprint(0, 0, 0, 0, inverted, decomposed);
  }

  /**
   * The mean of an iteration's parts, each as often as its period says, times the iterations; and
   * the inverses of the first three of them.
   */
  @Test
  void secondsOfIterationsAreTheMeanOfTheirParts() throws IOException {
    Jobs.Ended plan = Jobs.run(new Plan(), dense("").toString(), "--to-target", "1000");
    assertThat(plan.code()).as(plan.err()).isZero();
    double sum = 0;
    int parts = 0;
    double first = 0;
    double mean = Double.NaN;
    for (String line : plan.out().lines().toList()) {
      String[] cells = line.strip().split(" {2,}");
      if (line.startsWith("  ") && cells.length == 4 && cells[2].matches("\\d+")) {
        double each = Double.parseDouble(cells[1]) / Integer.parseInt(cells[2]);
        // Printed with four digits.
        assertThat(Double.parseDouble(cells[3])).isCloseTo(each, within(1.01e-4));
        sum += each;
        parts++;
        first += cells[0].equals("inverses") ? 3 * (Double.parseDouble(cells[1]) - each) : 0;
      } else if (cells[0].equals("in the mean")) {
        mean = Double.parseDouble(cells[1]);
      } else if (line.startsWith("1000 iterations take ")) {
        double all = Double.parseDouble(line.replaceAll("1000 iterations take (\\S+) s", "$1"));
        // A thousand times what is printed with four digits, with one of its own.
        assertThat(all).isCloseTo(1000 * mean + first, within(0.11));
      }
    }
    assertThat(parts).isGreaterThan(5);
    assertThat(first).isPositive();
    assertThat(mean).isPositive().isCloseTo(sum, within(parts * 1.01e-4));
    assertThat(plan.out()).contains("1000 iterations take ");
  }
}
