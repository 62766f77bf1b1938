package org.kfac4j.curvature;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.network.Layer;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Loss;
import org.kfac4j.network.Network;
import org.kfac4j.network.ParameterLayer;
import org.kfac4j.network.Targets;

/**
 * One request's computation on one thread: forward, backward and forward-mode passes over blocks,
 * and what is summed of them.
 */
final class Nd4jCompute implements BlockCompute {
  private final Network network;
  private final Request request;
  private final List<Parameters> vectors;
  private final Workspace workspace;
  private final Runnable giveBack;
  private final boolean[] depends;

  /** Whether layers behave as in training: always but when a model is judged. */
  private final boolean training;

  /** Of layers' random streams: all passes of an iteration are over batches with one start. */
  private final long key;

  private final List<List<Accumulator>> gradientSums = new ArrayList<>();
  private final @Nullable CurvatureSums curvatureSums;
  private final PhaseClock clock = new PhaseClock();

  private double count;
  private double statisticsCount;
  private double loss;
  private double squaredError;
  private double correct;
  private final double[][] products;
  private final long[] notFinite;

  Nd4jCompute(
      Network network,
      Request request,
      Parameters weights,
      List<Parameters> vectors,
      Workspace workspace,
      Runnable giveBack) {
    this.network = network;
    this.request = request;
    this.vectors = vectors;
    this.workspace = workspace;
    this.giveBack = giveBack;
    this.depends = depends(network);
    this.training = !(request instanceof Request.Loss asked && asked.metrics());
    this.key = Hashing.key(request.batch().seed(), request.batch().start());
    workspace.load(weights);
    int products = request instanceof Request.Products ? vectors.size() : 0;
    this.products = new double[products][products];
    this.notFinite = new long[network.layers().size()];
    if (request instanceof Request.Gradient) {
      for (List<Matrix> parts : workspace.perLayer(workspace.gradient())) {
        gradientSums.add(parts.stream().map(Accumulator::new).toList());
      }
    }
    Request.Statistics statistics = request.statistics();
    this.curvatureSums =
        statistics == null ? null : new CurvatureSums(network, statistics, vectors, workspace);
    clock.charge("prepare");
  }

  @Override
  public void add(Block block, int n) {
    WeightedLoss loss = new WeightedLoss(network.loss(), block.weights());
    double weight = loss.count(n);
    count += weight;
    clock.skip();
    forward(block, n, weight);
    clock.charge("forward");
    if (request instanceof Request.Products) {
      addProducts(block, n);
    } else if (request instanceof Request.Gradient gradient) {
      addGradient(loss, block, n, gradient.statistics());
    } else if (request instanceof Request.Curvature curvature) {
      addCurvature(loss, block, n, curvature.statistics());
    } else if (request instanceof Request.Loss asked) {
      addLoss(loss, block.targets(), n, asked.metrics());
    }
  }

  /** Which values parameters have an influence on. */
  private static boolean[] depends(Network network) {
    boolean[] depends = new boolean[network.layers().size() + 1];
    for (int i = 0; i < network.layers().size(); i++) {
      depends[i + 1] = network.layers().get(i).parameterCount() > 0;
      for (int source : network.sources().get(i)) {
        depends[i + 1] |= depends[source];
      }
    }
    return depends;
  }

  private void forward(Block block, int n, double weight) {
    workspace.value(0).putExamples(block.features(), n);
    for (int i = 0; i < network.layers().size(); i++) {
      workspace.buffers(i).setExamples(training, key, block.ids(), weight);
      network.layers().get(i).forward(workspace.buffers(i), n);
    }
    workspace.value(network.layers().size()).get(workspace.outputs, n);
  }

  private void addLoss(WeightedLoss of, Targets targets, int n, boolean metrics) {
    loss += of.value(workspace.outputs, targets, n);
    if (metrics) {
      squaredError += of.squaredError(workspace.outputs, targets, n);
      correct += of.correct(workspace.outputs, targets, n);
    }
    clock.charge("loss");
  }

  private void addGradient(
      WeightedLoss of, Block block, int n, Request.@Nullable Statistics statistics) {
    double blockLoss =
        of.gradient(workspace.outputs, block.targets(), n, workspace.outputGradients);
    loss += blockLoss;
    if (!Double.isFinite(blockLoss)) {
      blame(n);
    }
    clock.charge("loss");
    int sampled = statistics == null ? 0 : Math.min(block.statisticsCount(), n);
    boolean empirical = statistics != null && statistics.fisher() == FisherType.EMPIRICAL;
    hold(false);
    // Weights are in the gradient as they are, but with their roots in what is squared.
    boolean together = empirical && block.weights() == null;
    backward(n, true, together ? sampled : 0, 0, block);
    clock.charge("backward");
    if (statistics != null && sampled > 0) {
      statisticsCount += of.count(sampled);
      requireNonNull(curvatureSums).addInputs(sampled, block);
      if (!empirical) {
        addGradientMoments(block, sampled, statistics);
      } else if (!together) {
        addEmpiricalMoments(block, n, sampled);
      }
      clock.charge("statistics");
    }
  }

  private void addCurvature(WeightedLoss of, Block block, int n, Request.Statistics statistics) {
    int sampled = Math.min(block.statisticsCount(), n);
    if (sampled == 0) {
      return;
    }
    statisticsCount += of.count(sampled);
    if (statistics.fisher() == FisherType.EMPIRICAL) {
      addEmpiricalMoments(block, n, sampled);
    } else {
      addGradientMoments(block, sampled, statistics);
    }
    requireNonNull(curvatureSums).addInputs(sampled, block);
    clock.charge("statistics");
  }

  /**
   * Notes the first layer whose output, or the activation of it in the same buffer, is not finite.
   */
  private void blame(int n) {
    for (int i = 0; i < network.layers().size(); i++) {
      double[] values = new double[n * network.layers().get(i).outputs()];
      workspace.value(i + 1).get(values, n);
      for (double value : values) {
        if (!Double.isFinite(value)) {
          notFinite[i]++;
          return;
        }
      }
    }
    notFinite[notFinite.length - 1]++;
  }

  /** Whether the backward passes to come are of one example each. */
  private void hold(boolean statistics) {
    for (int i = 0; i < network.layers().size(); i++) {
      workspace.buffers(i).setHolding(statistics);
    }
  }

  /**
   * Over all of the block's examples: batch normalisation has no gradient of some without others.
   */
  private void addEmpiricalMoments(Block block, int n, int sampled) {
    network.loss().gradient(workspace.outputs, block.targets(), n, workspace.outputGradients);
    hold(false);
    weigh(workspace.outputGradients, block, n);
    backward(n, false, sampled, 0, block);
  }

  /** Multiplies rows by √w: what is squared or multiplied in pairs has then weights w. */
  private void weigh(double[] rows, Block block, int n) {
    double[] roots = block.roots(n);
    int width = network.outputs();
    for (int i = 0; roots != null && i < n * width; i++) {
      rows[i] *= roots[i / width];
    }
  }

  private void addGradientMoments(Block block, int n, Request.Statistics statistics) {
    Loss distribution = network.loss();
    hold(true);
    switch (statistics.fisher()) {
      case EMPIRICAL -> throw new IllegalArgumentException("training targets are not drawn");
      case SAMPLED -> {
        long[] keys = new long[n];
        for (int row = 0; row < n; row++) {
          keys[row] = Hashing.key(statistics.key(), block.ids()[row]);
        }
        distribution.sampledGradient(workspace.outputs, keys, n, workspace.outputGradients);
        weigh(workspace.outputGradients, block, n);
        backward(n, false, n, 0, block);
      }
      case EXACT -> {
        for (int c = 0; c < distribution.fisherVectors(); c++) {
          distribution.fisherVector(c, workspace.outputs, n, workspace.outputGradients);
          weigh(workspace.outputGradients, block, n);
          backward(n, false, n, c, block);
        }
      }
    }
  }

  /**
   * Propagates {@code outputGradients} to all layers, adding to the gradient or to statistics of
   * curvature on the way.
   *
   * @param momentRows how many examples are in the statistics, from the first on
   * @param pass which of the block's backward passes for statistics it is
   */
  private void backward(int n, boolean sumGradient, int momentRows, int pass, Block block) {
    boolean[] written = new boolean[depends.length];
    int last = network.layers().size();
    workspace.gradient(last).put(workspace.outputGradients, n);
    written[last] = true;
    for (int i = last - 1; i >= 0; i--) {
      if (!depends[i + 1] || !written[i + 1]) {
        continue;
      }
      Layer layer = network.layers().get(i);
      LayerBuffers buffers = workspace.buffers(i);
      buffers.setGradientOut(workspace.gradient(i + 1));
      if (momentRows > 0) {
        requireNonNull(curvatureSums).addGradients(i, momentRows, pass, block);
      }
      if (sumGradient && layer instanceof ParameterLayer parameterLayer) {
        List<Accumulator> sums = gradientSums.get(i);
        if (!backward(
            i, written, n, () -> parameterLayer.backwardAndAddGradient(buffers, n, sums))) {
          parameterLayer.addGradient(buffers, n, sums);
        }
      } else {
        backward(i, written, n, () -> layer.backward(buffers, n));
      }
    }
    if (momentRows > 0) {
      requireNonNull(curvatureSums).addCoupling(momentRows, pass, block);
    }
  }

  /**
   * From a layer's output to its inputs, if parameters have an influence on any of them.
   *
   * @return whether it was done
   */
  private boolean backward(int i, boolean[] written, int n, Runnable work) {
    LayerBuffers buffers = workspace.buffers(i);
    List<Integer> sources = network.sources().get(i);
    boolean needed = false;
    boolean[] second = new boolean[sources.size()];
    for (int k = 0; k < second.length; k++) {
      int source = sources.get(k);
      needed |= depends[source];
      second[k] = written[source];
      buffers.setGradientIn(
          k, written[source] ? workspace.spareGradient(source) : workspace.gradient(source));
      written[source] = true;
    }
    if (!needed) {
      return false;
    }
    work.run();
    for (int k = 0; k < second.length; k++) {
      if (second[k]) {
        int source = sources.get(k);
        Blas.add(1, workspace.spareGradient(source).whole(n), workspace.gradient(source).whole(n));
      }
    }
    return true;
  }

  private void addProducts(Block block, int n) {
    // The quadratic model is of the loss as it is trained on, through the block's statistics.
    hold(false);
    double[] z = workspace.outputs;
    double[][] tangents = new double[vectors.size()][];
    for (int d = 0; d < vectors.size(); d++) {
      workspace.move(vectors.get(d));
      tangents[d] = tangent(n);
      weigh(tangents[d], block, n);
    }
    network.loss().addFisherProducts(z, tangents, n, products);
    clock.charge("products");
  }

  /** J v for the block's rows, [n, outputs]. */
  private double[] tangent(int n) {
    for (int i = 0; i < network.layers().size(); i++) {
      if (!depends[i + 1]) {
        continue;
      }
      LayerBuffers buffers = workspace.buffers(i);
      List<Integer> sources = network.sources().get(i);
      for (int k = 0; k < sources.size(); k++) {
        int source = sources.get(k);
        buffers.setTangentIn(k, depends[source] ? workspace.tangent(source) : null);
      }
      buffers.setTangentOut(workspace.tangent(i + 1));
      network.layers().get(i).tangent(buffers, n);
    }
    double[] result = new double[n * network.outputs()];
    workspace.tangent(network.layers().size()).get(result, n);
    return result;
  }

  @Override
  public Sums finish() {
    Sums sums = new Sums();
    if (count == 0) {
      return sums;
    }
    sums.put(SumNames.COUNT, count);
    if (request instanceof Request.Products) {
      for (int i = 0; i < products.length; i++) {
        for (int j = i; j < products.length; j++) {
          sums.put(SumNames.product(i, j), products[i][j]);
        }
      }
    } else if (!(request instanceof Request.Curvature)) {
      sums.put(SumNames.LOSS, loss);
    }
    if (request instanceof Request.Loss asked && asked.metrics()) {
      sums.put(SumNames.SQUARED_ERROR, squaredError);
      sums.put(SumNames.CORRECT, correct);
    }
    if (request instanceof Request.Gradient) {
      // Zeros where no example has added anything.
      gradientSums.stream().flatMap(List::stream).forEach(Accumulator::sum);
      sums.put(SumNames.GRADIENT, workspace.gradient());
      for (int i = 0; i < notFinite.length; i++) {
        if (notFinite[i] > 0) {
          sums.put(SumNames.notFinite(i), (double) notFinite[i]);
        }
      }
    }
    if (curvatureSums != null) {
      sums.put(SumNames.STATISTICS_COUNT, statisticsCount);
      curvatureSums.put(sums);
    }
    clock.charge("collect");
    clock.seconds().forEach((phase, seconds) -> sums.put(SumNames.seconds(phase), seconds));
    return sums;
  }

  @Override
  public void close() {
    giveBack.run();
  }
}
