package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.ParameterLayer;
import org.kfac4j.network.Rows;

/**
 * Native buffers of one task for one network, kept from request to request: allocating them costs
 * more than many requests compute. Buffers that a request does not use are not made.
 */
final class Workspace implements AutoCloseable {
  private final Network network;
  private final Precision precision;
  private final int capacity;
  private final List<AutoCloseable> owned = new ArrayList<>();

  private final Matrix weights;
  final Rows[] activations;
  private Rows @Nullable [] gradients;
  private Rows @Nullable [] tangents;
  private @Nullable Matrix gradient;
  private @Nullable Matrix direction;
  private final @Nullable Accumulator[] inputMoments;
  private final @Nullable Accumulator[] gradientMoments;
  private @Nullable Parameters loaded;
  final double[] outputs;
  final double[] outputGradients;

  Workspace(Network network, Precision precision, int capacity) {
    this.network = network;
    this.precision = precision;
    this.capacity = capacity;
    int depth = network.layers().size();
    this.weights = own(Matrix.zeros(precision, 1, network.parameterCount()));
    this.activations = new Rows[depth + 1];
    activations[0] = own(Rows.activations(precision, capacity, network.inputs()));
    for (int i = 0; i < depth; i++) {
      activations[i + 1] =
          isInPlace(i)
              ? activations[i]
              : own(Rows.activations(precision, capacity, network.layers().get(i).outputs()));
    }
    this.inputMoments = new Accumulator[depth];
    this.gradientMoments = new Accumulator[depth];
    this.outputs = new double[capacity * network.outputs()];
    this.outputGradients = new double[capacity * network.outputs()];
  }

  /**
   * Whether layer i shares its input's buffer: then the layer before it must not need what it put
   * there.
   */
  private boolean isInPlace(int i) {
    return i > 0
        && network.layers().get(i).worksInPlace()
        && network.layers().get(i - 1) instanceof ParameterLayer;
  }

  /** The weights, layer by layer; copied only if they are not those of the last request. */
  @Nullable Matrix[] load(Parameters parameters) {
    if (loaded != parameters) {
      parameters.copyTo(weights);
      loaded = parameters;
    }
    return perLayer(weights);
  }

  /** The parameters of one layer inside a flat vector; null for a layer without any. */
  @Nullable Matrix[] perLayer(Matrix flat) {
    @Nullable Matrix[] views = new Matrix[network.layers().size()];
    for (ParameterBlock block : network.blocks()) {
      views[block.layer()] =
          flat.view(block.offset(), block.rows(), block.columns(), block.columns());
    }
    return views;
  }

  Rows[] gradients() {
    if (gradients == null) {
      gradients = derivatives();
    }
    return gradients;
  }

  Rows[] tangents() {
    if (tangents == null) {
      tangents = derivatives();
    }
    return tangents;
  }

  private Rows[] derivatives() {
    Rows[] rows = new Rows[activations.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] =
          i > 0 && isInPlace(i - 1)
              ? rows[i - 1]
              : own(Rows.derivatives(precision, capacity, activations[i].width()));
    }
    return rows;
  }

  Matrix gradient() {
    if (gradient == null) {
      gradient = own(Matrix.zeros(precision, 1, network.parameterCount()));
    }
    return gradient;
  }

  Matrix direction() {
    if (direction == null) {
      direction = own(Matrix.zeros(precision, 1, network.parameterCount()));
    }
    return direction;
  }

  /** Σ ā āᵀ of a layer, as the last request left it. */
  Accumulator inputMoment(int layer) {
    return moment(inputMoments, layer, network.layers().get(layer).parameterRows());
  }

  /** Σ g gᵀ of a layer, as the last request left it. */
  Accumulator gradientMoment(int layer) {
    return moment(gradientMoments, layer, network.layers().get(layer).parameterColumns());
  }

  private Accumulator moment(@Nullable Accumulator[] moments, int layer, int n) {
    Accumulator moment = moments[layer];
    if (moment == null) {
      moment = new Accumulator(own(Matrix.zeros(precision, n, n)));
      moments[layer] = moment;
    }
    return moment;
  }

  private <T extends AutoCloseable> T own(T buffer) {
    owned.add(buffer);
    return buffer;
  }

  @Override
  public void close() {
    for (AutoCloseable buffer : owned) {
      try {
        buffer.close();
      } catch (Exception e) {
        throw new IllegalStateException("a native buffer could not be freed", e);
      }
    }
    owned.clear();
  }
}
