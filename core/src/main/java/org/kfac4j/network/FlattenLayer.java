package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A map as a vector, channel by channel as in DL4J: what lies between convolutions and fully
 * connected layers.
 *
 * @param name what messages and tables call it
 */
public record FlattenLayer(String name, Shape map) implements Layer {
  @Override
  public List<Shape> inputShapes() {
    return List.of(map);
  }

  @Override
  public Shape outputShape() {
    return Shape.vector(map.size());
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    toVector(buffers.in(), buffers.out(), n);
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    double[] vector = new double[map.size()];
    double[] values = new double[map.size()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, vector);
      for (int p = 0, at = 0; p < map.positions(); p++) {
        for (int c = 0; c < map.channels(); c++) {
          values[at++] = vector[c * map.positions() + p];
        }
      }
      buffers.gradientIn().put(example, values);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    toVector(requireNonNull(buffers.tangentIn()), buffers.tangentOut(), n);
  }

  private void toVector(Rows from, Rows to, int n) {
    double[] vector = new double[map.size()];
    double[] values = new double[map.size()];
    for (int example = 0; example < n; example++) {
      from.get(example, values);
      for (int p = 0, at = 0; p < map.positions(); p++) {
        for (int c = 0; c < map.channels(); c++) {
          vector[c * map.positions() + p] = values[at++];
        }
      }
      to.put(example, vector);
    }
  }
}
