package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.data.Hashing;

/**
 * Dropout as DL4J has it (inverted): in training each number is kept with probability p and then
 * divided by p, else zero; in evaluation nothing happens. What is kept is a function of the pass's
 * key, the layer's name and the example's id, so it is the same in all passes over a batch, in
 * every partitioning, and in a task that runs again. The Fisher matrix is that of the network that
 * is left.
 *
 * @param name what messages and tables call it
 * @param keep p, in (0, 1]
 */
public record DropoutLayer(String name, Shape shape, double keep) implements Layer {
  public DropoutLayer {
    Check.that(
        keep > 0 && keep <= 1, "%s: the probability to keep must be in (0, 1], got %s", name, keep);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(shape);
  }

  @Override
  public Shape outputShape() {
    return shape;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    apply(buffers, buffers.in(), buffers.out(), n);
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    apply(buffers, buffers.gradientOut(), buffers.gradientIn(), n);
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    apply(buffers, requireNonNull(buffers.tangentIn()), buffers.tangentOut(), n);
  }

  private void apply(LayerBuffers buffers, Rows from, Rows to, int n) {
    double[] values = new double[shape.size()];
    for (int example = 0; example < n; example++) {
      from.get(example, values);
      if (buffers.isTraining()) {
        long key = Hashing.key(buffers.key(), name.hashCode(), buffers.id(example));
        for (int i = 0; i < values.length; i++) {
          values[i] = Hashing.uniform(key, i) < keep ? values[i] / keep : 0;
        }
      }
      to.put(example, values);
    }
  }
}
