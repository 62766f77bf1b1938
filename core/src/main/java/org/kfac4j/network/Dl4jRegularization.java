package org.kfac4j.network;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.jspecify.annotations.Nullable;
import org.kfac4j.network.Network.Penalty;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.schedule.FixedSchedule;

/** DL4J's regularization of a layer as a {@link Penalty}: l2 only. */
final class Dl4jRegularization {
  private Dl4jRegularization() {}

  /**
   * @throws org.kfac4j.InvalidInputException naming what is not a constant l2
   */
  static Penalty penalty(BaseLayer layer, boolean hasBias, Refusal here) {
    double bias = l2(layer.getRegularizationBias(), "regularizationBias", here);
    return new Penalty(l2(layer.getRegularization(), "regularization", here), hasBias ? bias : 0);
  }

  /** η of ½ η ‖w‖²; the sum if there are several. */
  private static double l2(
      @Nullable List<Regularization> regularizations, String setting, Refusal here) {
    double eta = 0;
    for (Regularization each :
        regularizations == null ? List.<Regularization>of() : regularizations) {
      here.unless(each instanceof L2Regularization, setting, each);
      L2Regularization l2 = (L2Regularization) each;
      here.unless(l2.getL2() instanceof FixedSchedule, setting, each);
      eta += l2.getL2().valueAt(0, 0);
    }
    here.unless(eta >= 0 && Double.isFinite(eta), setting, regularizations);
    return eta;
  }
}
