package org.kfac4j.network;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;

/**
 * Batch normalisation, Ioffe and Szegedy 2015, arXiv:1502.03167: y = γ x̂ + β with x̂ = (x − μ) /
 * √(σ² + ε), channel by channel.
 *
 * <p>In training μ and σ² (divided by the number, not by one less) are the mean and variance over
 * the examples <em>of a block</em> and all their positions: a block is some consecutive examples of
 * a batch (or of the subset that exact products are over) inside one partition, so these
 * statistics, and with them loss and gradient, depend on how examples are divided into partitions
 * ("ghost batches", Hoffer et al. 2017, arXiv:1705.08741). The gradient goes through the
 * statistics, as it does in DL4J. Statistics of curvature take them for constants ({@link
 * LayerBuffers#isHolding}): the Fisher matrix is that of the network with each block's μ and σ²
 * held, so each example has a gradient of its own.
 *
 * <p>In evaluation μ and σ² are running averages, which θ holds beside γ and β: the gradient with
 * respect to them is by how much they exceed the means over the batch's blocks, and a step moves
 * them by −(1 − decay) times that, whatever the optimizer. A block's statistics do not see weights
 * of examples; in the mean over blocks a block counts as much as its examples weigh.
 *
 * @param name what messages and tables call it
 * @param decay of the running averages, per iteration
 * @param epsilon ε
 * @param trained whether γ and β are parameters; else they are 1 and 0
 * @param logarithmic whether DL4J keeps log10 σ in the place of σ²; θ has σ² either way
 */
public record BatchNormalizationLayer(
    String name, Shape shape, double decay, double epsilon, boolean trained, boolean logarithmic)
    implements ScaleLayer {
  /** Positions whose mean is near enough to that of all to subtract it from squares. */
  private static final int FIRST = 64;

  public BatchNormalizationLayer {
    Check.that(0 <= decay && decay <= 1, "%s: decay must be in [0, 1], got %s", name, decay);
    Check.that(
        epsilon > 0 && Double.isFinite(epsilon),
        "%s: epsilon must be positive, got %s",
        name,
        epsilon);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(shape);
  }

  @Override
  public Shape outputShape() {
    return shape;
  }

  /** γ and β if they are trained, then μ and σ². */
  @Override
  public List<LayerPart> parts() {
    List<LayerPart> parts = new ArrayList<>();
    if (trained) {
      parts.add(new LayerPart(2, shape.channels(), false, ParameterRole.SCALES));
    }
    parts.add(new LayerPart(2, shape.channels(), false, ParameterRole.STATISTICS));
    return parts;
  }

  /**
   * μ, σ² and 1 / √(σ² + ε) of the block that went forward last, and room for coefficients; behind
   * the channels of a vector there is one for the homogeneous coordinate, always zero.
   */
  private final class Memory {
    final int stride = shape.channels() + (shape.isVector() ? 1 : 0);
    final ChannelKernel kernel;
    final double[] mean = new double[stride];
    final double[] variance = new double[stride];
    final double[] inverse = new double[stride];
    final double[] sums = new double[stride];
    final double[] products = new double[stride];
    final double[] a = new double[stride];
    final double[] b = new double[stride];
    final double[] c = new double[stride];
    final double[] zero = new double[stride];
    int examples;

    Memory(LayerBuffers buffers) {
      kernel = new ChannelKernel(stride, buffers.scratch().precision());
    }

    /** μ and σ² of x, about the mean of its first positions. */
    void takeStatistics(Matrix x, int positions) {
      int few = Math.min(positions, FIRST);
      kernel.sums(x, zero, x, zero, 0, few, sums, products);
      for (int k = 0; k < stride; k++) {
        b[k] = sums[k] / few;
      }
      kernel.sums(x, b, x, b, 0, positions, sums, products);
      for (int k = 0; k < shape.channels(); k++) {
        double excess = sums[k] / positions;
        mean[k] = b[k] + excess;
        // Written so that NaN stays.
        double square = products[k] / positions - excess * excess;
        variance[k] = square < 0 ? 0 : square;
      }
      b[stride - 1] = shape.isVector() ? 0 : b[stride - 1];
    }

    /** sums ← Σ g, products ← Σ g x̂, over {@code count} examples from the {@code from}-th on. */
    void sum(Rows g, Rows x, int from, int count, int capacity) {
      int positions = shape.positions();
      kernel.sums(
          g.whole(capacity),
          zero,
          x.whole(capacity),
          mean,
          from * positions,
          count * positions,
          sums,
          products);
      for (int k = 0; k < stride; k++) {
        products[k] *= inverse[k];
      }
    }
  }

  private Memory memory(LayerBuffers buffers) {
    return buffers.memory(() -> new Memory(buffers));
  }

  /** γ (row 0) or β (row 1), or what moves them. */
  private double[] scale(Matrix parameters, int row) {
    double[] values = new double[shape.channels()];
    parameters.get((long) row * values.length, values, 0, values.length);
    return values;
  }

  private double[] gamma(LayerBuffers buffers) {
    if (trained) {
      return scale(buffers.parameters(), 0);
    }
    double[] ones = new double[shape.channels()];
    java.util.Arrays.fill(ones, 1);
    return ones;
  }

  private int statisticsPart() {
    return trained ? 1 : 0;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    Memory memory = memory(buffers);
    int channels = shape.channels();
    int positions = n * shape.positions();
    memory.examples = n;
    if (buffers.isTraining()) {
      memory.takeStatistics(buffers.in().whole(n), positions);
    } else {
      Matrix statistics = buffers.parameters(statisticsPart());
      statistics.get(0, memory.mean, 0, channels);
      statistics.get(channels, memory.variance, 0, channels);
    }
    double[] gamma = gamma(buffers);
    double[] beta = trained ? scale(buffers.parameters(), 1) : memory.zero;
    for (int k = 0; k < channels; k++) {
      memory.inverse[k] = 1 / Math.sqrt(memory.variance[k] + epsilon);
      memory.b[k] = gamma[k] * memory.inverse[k];
      memory.c[k] = beta[k];
    }
    memory.kernel.apply(
        buffers.in().whole(n), memory.b, memory.mean, memory.c, positions, buffers.out().whole(n));
    buffers.out().setLastColumn(n);
  }

  private static boolean constant(LayerBuffers buffers) {
    return buffers.isHolding() || !buffers.isTraining();
  }

  /**
   * ∂L/∂x = γ/√(σ²+ε) (g − mean(g) − x̂ mean(g x̂)), means over all positions of the block; without
   * them if statistics are held.
   */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    Memory memory = memory(buffers);
    double[] gamma = gamma(buffers);
    Rows g = buffers.gradientOut();
    int positions = n * shape.positions();
    for (int k = 0; k < gamma.length; k++) {
      memory.a[k] = gamma[k] * memory.inverse[k];
      memory.c[k] = 0;
    }
    if (constant(buffers)) {
      memory.kernel.apply(
          g.whole(n), memory.a, memory.zero, memory.c, positions, buffers.gradientIn().whole(n));
      return;
    }
    Check.that(
        n == memory.examples,
        "%s: %d of the block's %d examples have no gradient without the others",
        name,
        n,
        memory.examples);
    memory.sum(g, buffers.in(), 0, n, n);
    for (int k = 0; k < gamma.length; k++) {
      memory.b[k] = -memory.a[k] * memory.inverse[k] * memory.products[k] / positions;
      memory.c[k] = -memory.a[k] * memory.sums[k] / positions;
    }
    combine(memory, g, buffers, positions, n, buffers.gradientIn());
  }

  /** result ← a from + b (x − μ) + c. */
  private static void combine(
      Memory memory, Rows from, LayerBuffers buffers, int positions, int n, Rows result) {
    memory.kernel.combine(
        from.whole(n),
        memory.a,
        buffers.in().whole(n),
        memory.b,
        memory.mean,
        memory.c,
        positions,
        result.whole(n));
  }

  /** Σ g x̂ for γ, Σ g for β; what the running averages exceed the block's statistics by. */
  @Override
  public void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    Memory memory = memory(buffers);
    int channels = shape.channels();
    if (trained) {
      memory.sum(buffers.gradientOut(), buffers.in(), 0, n, n);
      double[] gradient = new double[2 * channels];
      System.arraycopy(memory.products, 0, gradient, 0, channels);
      System.arraycopy(memory.sums, 0, gradient, channels, channels);
      sums.get(0).add(gradient);
    }
    double[] excess = buffers.parameters(statisticsPart()).toArray();
    double weight = buffers.weight(); // What the mean gradient is divided by, summed over blocks.
    for (int k = 0; k < channels; k++) {
      excess[k] = weight * (excess[k] - memory.mean[k]);
      excess[channels + k] = weight * (excess[channels + k] - memory.variance[k]);
    }
    sums.get(statisticsPart()).add(excess);
  }

  /** Of each example Σ_t g x̂ and Σ_t g. */
  @Override
  public void exampleGradients(LayerBuffers buffers, int n, Matrix gradients) {
    Memory memory = memory(buffers);
    int channels = shape.channels();
    for (int example = 0; example < n; example++) {
      memory.sum(buffers.gradientOut(), buffers.in(), example, 1, n);
      gradients.put((2L * example) * channels, memory.products, 0, channels);
      gradients.put((2L * example + 1) * channels, memory.sums, 0, channels);
    }
  }

  /**
   * ẏ = γ/√(σ²+ε) (ẋ − mean(ẋ) − x̂ mean(x̂ ẋ)) + γ̇ x̂ + β̇; without the means if statistics are
   * held.
   */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Memory memory = memory(buffers);
    int positions = n * shape.positions();
    double[] gamma = gamma(buffers);
    double[] gammaMoves = trained ? scale(buffers.direction(), 0) : memory.zero;
    double[] betaMoves = trained ? scale(buffers.direction(), 1) : memory.zero;
    for (int k = 0; k < gamma.length; k++) {
      memory.b[k] = gammaMoves[k] * memory.inverse[k];
      memory.c[k] = betaMoves[k];
    }
    Rows moving = buffers.tangentIn();
    Rows out = buffers.tangentOut();
    if (moving == null) {
      memory.kernel.apply(
          buffers.in().whole(n), memory.b, memory.mean, memory.c, positions, out.whole(n));
      out.setLastColumn(n);
      return;
    }
    boolean constant = constant(buffers);
    if (!constant) {
      memory.sum(moving, buffers.in(), 0, n, n);
    }
    for (int k = 0; k < gamma.length; k++) {
      memory.a[k] = gamma[k] * memory.inverse[k];
      if (!constant) {
        memory.b[k] -= memory.a[k] * memory.inverse[k] * memory.products[k] / positions;
        memory.c[k] -= memory.a[k] * memory.sums[k] / positions;
      }
    }
    combine(memory, moving, buffers, positions, n, out);
    out.setLastColumn(n);
  }
}
