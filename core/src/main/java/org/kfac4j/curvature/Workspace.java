package org.kfac4j.curvature;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.LayerBuffers;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.Rows;
import org.kfac4j.network.Scratch;

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
  private @Nullable Parameters loaded;
  private final Rows[] values;
  private final List<LayerBuffers> buffers = new ArrayList<>();
  private Rows @Nullable [] gradients;
  private final @Nullable Rows[] spares;
  private Rows @Nullable [] tangents;
  private @Nullable Matrix gradient;
  private @Nullable Matrix direction;
  private final Map<Place, Accumulator> sums = new HashMap<>();
  private final Map<Place, Matrix> matrices = new HashMap<>();
  private final Map<Place, Parameters> contents = new HashMap<>();
  final double[] outputs;
  final double[] outputGradients;

  Workspace(Network network, Precision precision, int capacity) {
    this.network = network;
    this.precision = precision;
    this.capacity = capacity;
    int depth = network.layers().size();
    this.weights = own(Matrix.zeros(precision, 1, network.parameterCount()));
    this.values = new Rows[depth + 1];
    Scratch scratch = own(new Scratch(precision));
    values[0] = own(Rows.activations(precision, capacity, network.input()));
    for (int i = 0; i < depth; i++) {
      List<Integer> sources = network.sources().get(i);
      values[i + 1] =
          isInPlace(i)
              ? values[sources.get(0)]
              : own(Rows.activations(precision, capacity, network.value(i + 1)));
      buffers.add(
          own(
              new LayerBuffers(
                  sources.stream().map(source -> values[source]).toList(),
                  values[i + 1],
                  scratch)));
    }
    this.spares = new Rows[depth + 1];
    this.outputs = new double[capacity * network.outputs()];
    this.outputGradients = new double[capacity * network.outputs()];
  }

  /**
   * Whether layer i shares its input's buffer: then nobody else must want what was there, neither
   * another layer nor the one that made it.
   */
  private boolean isInPlace(int i) {
    if (!network.layers().get(i).worksInPlace()) {
      return false;
    }
    int source = network.sources().get(i).get(0);
    return source > 0
        && network.consumers(source) == 1
        && !network.layers().get(source - 1).needsOutput();
  }

  /** The buffers of layer i, with those of values set. */
  LayerBuffers buffers(int i) {
    return buffers.get(i);
  }

  /** The network's input, and what came out of layer i at i + 1. */
  Rows value(int index) {
    return values[index];
  }

  /** Sets the weights; copied only if they are not those of the last request. */
  void load(Parameters parameters) {
    if (loaded != parameters) {
      parameters.copyTo(weights);
      loaded = parameters;
    }
    List<List<Matrix>> parts = perLayer(weights);
    for (int i = 0; i < parts.size(); i++) {
      buffers.get(i).setParameters(parts.get(i));
    }
  }

  /** Sets the direction in which parameters move. */
  void move(Parameters along) {
    Matrix vector = direction();
    along.copyTo(vector);
    List<List<Matrix>> parts = perLayer(vector);
    for (int i = 0; i < parts.size(); i++) {
      buffers.get(i).setDirection(parts.get(i));
    }
  }

  /** The parts of each layer's parameters inside a flat vector. */
  List<List<Matrix>> perLayer(Matrix flat) {
    List<List<Matrix>> parts = new ArrayList<>();
    network.layers().forEach(layer -> parts.add(new ArrayList<>()));
    for (ParameterBlock block : network.parts()) {
      parts
          .get(block.layer())
          .add(flat.view(block.offset(), block.rows(), block.columns(), block.columns()));
    }
    return parts;
  }

  /** ∂L/∂value. */
  Rows gradient(int value) {
    if (gradients == null) {
      gradients = derivatives();
    }
    return requireNonNull(gradients)[value];
  }

  /** Room for a second gradient with respect to a value that several layers take. */
  Rows spareGradient(int value) {
    Rows spare = spares[value];
    if (spare == null) {
      spare = own(Rows.derivatives(precision, capacity, network.value(value)));
      spares[value] = spare;
    }
    return spare;
  }

  /** The derivative of a value along the direction. */
  Rows tangent(int value) {
    if (tangents == null) {
      tangents = derivatives();
    }
    return requireNonNull(tangents)[value];
  }

  private Rows[] derivatives() {
    Rows[] rows = new Rows[values.length];
    for (int v = 0; v < rows.length; v++) {
      rows[v] =
          v > 0 && isInPlace(v - 1)
              ? rows[network.sources().get(v - 1).get(0)]
              : own(Rows.derivatives(precision, capacity, network.value(v)));
    }
    return rows;
  }

  /** Σ ∂L/∂θ. */
  Matrix gradient() {
    if (gradient == null) {
      gradient = own(Matrix.zeros(precision, 1, network.parameterCount()));
    }
    return gradient;
  }

  private Matrix direction() {
    if (direction == null) {
      direction = own(Matrix.zeros(precision, 1, network.parameterCount()));
    }
    return direction;
  }

  /** With other settings, the next request's statistics may have other shapes under their names. */
  private record Place(String name, int rows, int columns) {}

  /** A sum of any content that is kept under {@code name} in this shape. */
  Accumulator sum(String name, int rows, int columns) {
    return sums.computeIfAbsent(
        new Place(name, rows, columns),
        key -> new Accumulator(own(Matrix.zeros(precision, rows, columns))));
  }

  /** {@link #sum}, made zero. */
  Accumulator cleared(String name, int rows, int columns) {
    Accumulator sum = sum(name, rows, columns);
    sum.clear();
    return sum;
  }

  /** Room for something under {@code name} in this shape. */
  Matrix matrix(String name, int rows, int columns) {
    return matrices.computeIfAbsent(
        new Place(name, rows, columns), key -> own(Matrix.zeros(precision, rows, columns)));
  }

  /** Room for a row of each example of a block, of any content. */
  Matrix examples(String name, int columns) {
    return matrix(name, capacity, columns);
  }

  /** A matrix under {@code name} with these values; copied only if they are not those of before. */
  Matrix loaded(String name, int rows, int columns, Parameters values) {
    Matrix matrix = matrix(name, rows, columns);
    if (contents.put(new Place(name, rows, columns), values) != values) {
      values.copyTo(matrix);
    }
    return matrix;
  }

  Precision precision() {
    return precision;
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
