package org.kfac4j.curvature;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Layer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
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

  final Matrix weights;
  final Rows[] activations;
  private Rows @Nullable [] gradients;
  private Rows @Nullable [] tangents;
  private @Nullable Matrix gradient;
  private @Nullable Matrix direction;
  private final Matrix[] inputMoments;
  private final Matrix[] gradientMoments;
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
          own(Rows.activations(precision, capacity, network.layers().get(i).outputs()));
    }
    this.inputMoments = new Matrix[depth];
    this.gradientMoments = new Matrix[depth];
    this.outputs = new double[capacity * network.outputs()];
    this.outputGradients = new double[capacity * network.outputs()];
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
      rows[i] = own(Rows.derivatives(precision, capacity, activations[i].width()));
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

  Matrix inputMoment(int layer) {
    Layer described = network.layers().get(layer);
    if (inputMoments[layer] == null) {
      inputMoments[layer] =
          own(Matrix.zeros(precision, described.parameterRows(), described.parameterRows()));
    }
    return inputMoments[layer];
  }

  Matrix gradientMoment(int layer) {
    Layer described = network.layers().get(layer);
    if (gradientMoments[layer] == null) {
      gradientMoments[layer] =
          own(Matrix.zeros(precision, described.parameterColumns(), described.parameterColumns()));
    }
    return gradientMoments[layer];
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
