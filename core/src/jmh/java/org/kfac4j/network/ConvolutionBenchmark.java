package org.kfac4j.network;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A convolution of 512 maps of 16 × 16 with 32 channels, "same" padding, on two threads as two task
 * slots do it, 256 maps each: a time is that of all 512. {@link #product} is the yardstick: a
 * square product of 2048 on each thread, 34.4 GFLOP together; with a kernel of 5 and 64 filters a
 * forward pass is 13.4 GFLOP and a backward pass twice that.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Threads(2)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 2)
public class ConvolutionBenchmark {
  private static final int MAPS = 256;

  /** Kernel rows and columns. */
  @Param({"5", "3"})
  private int kernel;

  @Param({"64"})
  private int filters;

  private ConvolutionLayer layer;
  private LayerBuffers buffers;
  private Accumulator gradient;
  private Accumulator omega;
  private Accumulator gamma;
  private Matrix left;
  private Matrix right;
  private Matrix result;
  private List<AutoCloseable> owned;

  @Setup
  public void setUp() {
    Blas.useThreads(1);
    Window window =
        Window.same(
            new Shape(16, 16, 32), new int[] {kernel, kernel}, new int[] {1, 1}, new int[] {1, 1});
    layer = new ConvolutionLayer("conv", window, filters, true);
    Rows in = Rows.activations(Precision.FLOAT, MAPS, window.in());
    Rows out = Rows.activations(Precision.FLOAT, MAPS, layer.outputShape());
    Rows gradientOut = Rows.derivatives(Precision.FLOAT, MAPS, layer.outputShape());
    Rows gradientIn = Rows.derivatives(Precision.FLOAT, MAPS, window.in());
    in.put(normal(1, MAPS * layer.inputs()), MAPS);
    gradientOut.put(normal(2, MAPS * layer.outputs()), MAPS);
    Matrix x = Matrix.zeros(Precision.FLOAT, layer.parameterRows(), filters);
    x.put(0, normal(3, layer.parameterCount()), 0, layer.parameterCount());
    Scratch scratch = new Scratch(Precision.FLOAT);
    buffers = new LayerBuffers(List.of(in), out, scratch);
    buffers.setParameters(List.of(x));
    buffers.setGradientOut(gradientOut);
    buffers.setGradientIn(0, gradientIn);
    Matrix sum = Matrix.zeros(Precision.FLOAT, layer.parameterRows(), filters);
    Matrix inputs = Matrix.zeros(Precision.FLOAT, layer.parameterRows(), layer.parameterRows());
    Matrix outputs = Matrix.zeros(Precision.FLOAT, filters, filters);
    gradient = new Accumulator(sum);
    omega = new Accumulator(inputs);
    gamma = new Accumulator(outputs);
    left = Matrix.zeros(Precision.FLOAT, 2048, 2048);
    right = Matrix.zeros(Precision.FLOAT, 2048, 2048);
    result = Matrix.zeros(Precision.FLOAT, 2048, 2048);
    owned =
        List.of(
            in,
            out,
            gradientOut,
            gradientIn,
            x,
            scratch,
            sum,
            inputs,
            outputs,
            left,
            right,
            result);
  }

  private static double[] normal(long key, int length) {
    double[] values = new double[length];
    java.util.Arrays.setAll(values, i -> Hashing.normal(key, i) / 30);
    return values;
  }

  @TearDown
  public void tearDown() throws Exception {
    for (AutoCloseable each : owned) {
      each.close();
    }
  }

  @Benchmark
  public void forward() {
    layer.forward(buffers, MAPS);
  }

  /** With respect to the parameters and to the input. */
  @Benchmark
  public void backward() {
    layer.backwardAndAddGradient(buffers, MAPS, List.of(gradient));
  }

  @Benchmark
  public void forwardAndBackward() {
    forward();
    backward();
  }

  @Benchmark
  public void omega() {
    layer.addInputMoments(buffers, MAPS, WeightSharing.KFC, List.of(omega));
    omega.sum();
  }

  @Benchmark
  public void gamma() {
    layer.addGradientMoments(buffers, MAPS, WeightSharing.KFC, List.of(gamma));
  }

  @Benchmark
  public void product() {
    Blas.multiply(left, false, right, false, 0, result);
  }
}
