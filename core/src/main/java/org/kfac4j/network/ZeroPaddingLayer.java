package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A map with rows and columns of zeros around it.
 *
 * @param name what messages and tables call it
 */
public record ZeroPaddingLayer(String name, Shape map, int top, int bottom, int left, int right)
    implements Layer {
  @Override
  public List<Shape> inputShapes() {
    return List.of(map);
  }

  @Override
  public Shape outputShape() {
    return new Shape(map.height() + top + bottom, map.width() + left + right, map.channels());
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    pad(buffers.in(), buffers.out(), n);
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    double[] padded = new double[outputs()];
    double[] inner = new double[inputs()];
    for (int example = 0; example < n; example++) {
      buffers.gradientOut().get(example, padded);
      for (int y = 0; y < map.height(); y++) {
        System.arraycopy(padded, start(y), inner, y * row(), row());
      }
      buffers.gradientIn().put(example, inner);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    pad(requireNonNull(buffers.tangentIn()), buffers.tangentOut(), n);
  }

  private void pad(Rows from, Rows to, int n) {
    double[] padded = new double[outputs()];
    double[] inner = new double[inputs()];
    for (int example = 0; example < n; example++) {
      from.get(example, inner);
      for (int y = 0; y < map.height(); y++) {
        System.arraycopy(inner, y * row(), padded, start(y), row());
      }
      to.put(example, padded);
    }
  }

  private int row() {
    return map.width() * map.channels();
  }

  /** Where row y of the map is in the padded one. */
  private int start(int y) {
    return ((y + top) * (map.width() + left + right) + left) * map.channels();
  }
}
