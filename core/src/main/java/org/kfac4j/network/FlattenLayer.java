package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A map as a vector: what lies between convolutions and fully connected layers.
 *
 * @param name what messages and tables call it
 * @param channelsLast whether the vector has a position's channels together; else it goes channel
 *     by channel, as DL4J's default is
 */
public record FlattenLayer(String name, Shape map, boolean channelsLast) implements Layer {
  /** Channel by channel. */
  public FlattenLayer(String name, Shape map) {
    this(name, map, false);
  }

  /** Where a number of the map is in the vector. */
  private int place(int position, int channel) {
    return channelsLast
        ? position * map.channels() + channel
        : channel * map.positions() + position;
  }

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
          values[at++] = vector[place(p, c)];
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
          vector[place(p, c)] = values[at++];
        }
      }
      to.put(example, vector);
    }
  }
}
