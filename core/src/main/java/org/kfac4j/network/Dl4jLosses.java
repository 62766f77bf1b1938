package org.kfac4j.network;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/** DL4J's losses, with the activation of the output layer, as {@link Loss}es. */
final class Dl4jLosses {
  /** DL4J's default clipping; more of it changes scores noticeably, and losses here do not clip. */
  private static final double MOST_SIGMOID_CLIPPING = LossBinaryXENT.DEFAULT_CLIPPING_EPSILON;

  private static final double MOST_SOFTMAX_CLIPPING = 1e-10;

  private Dl4jLosses() {}

  /**
   * The end of a network.
   *
   * @param activation what goes before the loss as a layer of its own; the identity where the loss
   *     takes logits
   */
  record Output(Activation activation, Loss loss) {}

  /**
   * XENT with sigmoid, MCXENT, SPARSE_MCXENT and NEGATIVELOGLIKELIHOOD with softmax, MSE and L2
   * with any element-wise activation.
   *
   * @throws org.kfac4j.InvalidInputException if it is another loss or combination, has weights, or
   *     clips more than DL4J does by default
   */
  static Output of(
      @Nullable ILossFunction loss,
      @Nullable IActivation activation,
      int outputs,
      Refusal refusal) {
    if (loss == null) {
      throw refusal.unsupported("loss", "none");
    }
    Class<?> type = loss.getClass();
    if (type == LossBinaryXENT.class) {
      LossBinaryXENT xent = (LossBinaryXENT) loss;
      withoutWeights(xent.getWeights(), refusal);
      refusal.unless(xent.getClipEps() <= MOST_SIGMOID_CLIPPING, "clipEps", xent.getClipEps());
      refusal.unless(
          activation instanceof ActivationSigmoid, "loss XENT with activation", activation);
      return logits(new SigmoidCrossEntropy(outputs));
    }
    if (type == LossMCXENT.class
        || type == LossNegativeLogLikelihood.class
        || type == LossSparseMCXENT.class) {
      LossMCXENT mcxent = (LossMCXENT) loss;
      withoutWeights(mcxent.getWeights(), refusal);
      refusal.unless(
          mcxent.getSoftmaxClipEps() <= MOST_SOFTMAX_CLIPPING,
          "softmaxClipEps",
          mcxent.getSoftmaxClipEps());
      refusal.unless(
          activation instanceof ActivationSoftmax, "loss MCXENT with activation", activation);
      return logits(new SoftmaxCrossEntropy(outputs));
    }
    if (type == LossMSE.class || type == LossL2.class) {
      withoutWeights(((LossL2) loss).getWeights(), refusal);
      double scale = type == LossMSE.class ? 1.0 / outputs : 1;
      return new Output(Dl4jActivations.of(activation, refusal), new SquaredError(outputs, scale));
    }
    throw refusal.unsupported("loss", loss);
  }

  private static Output logits(Loss loss) {
    return new Output(Activation.of(Activation.Function.IDENTITY), loss);
  }

  private static void withoutWeights(@Nullable INDArray weights, Refusal refusal) {
    refusal.unless(weights == null, "loss weights", weights);
  }
}
