package org.kfac4j.network;

import java.util.Collections;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;

/**
 * Σ_k c_k a_k of several values of one shape: the residual connection, with all c_k = 1.
 *
 * @param name what messages and tables call it
 * @param coefficients c_k
 */
public record SumLayer(String name, Shape shape, List<Double> coefficients) implements Layer {
  public SumLayer {
    coefficients = List.copyOf(coefficients);
    Check.that(!coefficients.isEmpty(), "%s: a sum needs inputs", name);
  }

  @Override
  public List<Shape> inputShapes() {
    return Collections.nCopies(coefficients.size(), shape);
  }

  @Override
  public Shape outputShape() {
    return shape;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    Matrix out = buffers.out().whole(n);
    out.clear();
    for (int k = 0; k < buffers.inputs(); k++) {
      Blas.add(coefficients.get(k), buffers.in(k).whole(n), out);
    }
    buffers.out().setLastColumn(n);
  }

  @Override
  public void backward(LayerBuffers buffers, int n) {
    for (int k = 0; k < buffers.inputs(); k++) {
      Matrix in = buffers.gradientIn(k).whole(n);
      in.clear();
      Blas.add(coefficients.get(k), buffers.gradientOut().whole(n), in);
    }
  }

  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Matrix out = buffers.tangentOut().whole(n);
    out.clear();
    for (int k = 0; k < buffers.inputs(); k++) {
      Rows moving = buffers.tangentIn(k);
      if (moving != null) {
        Blas.add(coefficients.get(k), moving.whole(n), out);
      }
    }
  }
}
