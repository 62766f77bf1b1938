package org.kfac4j;

import org.kfac4j.network.ConvolutionLayer;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.FlattenLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.Shape;
import org.kfac4j.network.SquaredError;

/**
 * Networks of one linear layer and examples for them that have whatever inputs and output gradients
 * a test wants: with θ = 0, ½‖z − t‖² has g = −t.
 */
public final class LinearLayer {
  private static final float[][] GRADIENTS = {{1, -1}, {2, 0}, {-1, 3}};

  private LinearLayer() {}

  /** From 2 to 2, with a bias. */
  public static Network dense() {
    return Network.of(new SquaredError(2, 0.5), new DenseLayer("layer", 2, 2, true));
  }

  /** From a map of 3 × 3 to 2 × 2 positions with 2 channels each, with a bias. */
  public static Network convolution() {
    ConvolutionLayer layer =
        new ConvolutionLayer("conv", Networks.window(new Shape(3, 3, 1), 2, 1, 0), 2, true);
    return Network.of(
        new SquaredError(8, 0.5), layer, new FlattenLayer("flat", layer.outputShape(), true));
  }

  /** Example n has the n-th inputs and gradients. */
  public static Problem examples(Network network, float[][] inputs, float[][] gradients) {
    float[] features = new float[inputs.length * network.inputs()];
    float[] targets = new float[inputs.length * network.outputs()];
    for (int n = 0; n < inputs.length; n++) {
      System.arraycopy(inputs[n], 0, features, n * network.inputs(), network.inputs());
      for (int j = 0; j < network.outputs(); j++) {
        targets[n * network.outputs() + j] = -gradients[n][j];
      }
    }
    return new Problem(network, features, null, targets);
  }

  /** Each of the inputs with each of the gradients: independent by construction. */
  private static Problem product(Network network, float[][] inputs, float[][] gradients) {
    int count = inputs.length * gradients.length;
    float[][] x = new float[count][];
    float[][] g = new float[count][];
    for (int n = 0; n < count; n++) {
      x[n] = inputs[n / gradients.length];
      g[n] = gradients[n % gradients.length];
    }
    return examples(network, x, g);
  }

  /** A product set for {@link #dense}. */
  public static Problem denseProduct() {
    return product(dense(), new float[][] {{1, 2}, {0, -1}, {2, 0.5f}, {-1, 1}}, GRADIENTS);
  }

  /**
   * A product set for {@link #convolution}. Only one position at a time has a gradient, each the
   * same ones: positions' gradients are uncorrelated, and of equal moments.
   */
  public static Problem convolutionProduct() {
    float[][] maps = {
      {1, 2, 0, 0, 1, 3, 2, 1, 0}, {0, 1, 1, 1, 0, 2, 1, 1, 0}, {-1, 0.5f, 2, 1, 0, 0, 1, -2, 1}
    };
    float[][] gradients = new float[4 * GRADIENTS.length][8];
    for (int i = 0; i < gradients.length; i++) {
      System.arraycopy(
          GRADIENTS[i % GRADIENTS.length], 0, gradients[i], i / GRADIENTS.length * 2, 2);
    }
    return product(convolution(), maps, gradients);
  }
}
