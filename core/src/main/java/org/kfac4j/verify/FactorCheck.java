package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;

/**
 * K-FAC's factors A and G of every layer, with each kind of {@link WeightSharing}, against moments
 * of the layer's rows by definition. Layers sum them in ways of their own; the three kinds differ
 * where there are several positions.
 */
record FactorCheck(FisherSample sample, List<LayerFisher> layers) {
  List<Finding> run() {
    List<Finding> findings = new ArrayList<>();
    for (WeightSharing sharing : WeightSharing.values()) {
      Worst worst = new Worst();
      FisherSample shared = sample.sharing(sharing);
      for (LayerFisher layer : layers) {
        if (isWhole(layer.block())
            && (sharing == WeightSharing.KFC || layer.rows().positions() > 1)) {
          worst.add(layer.block().name(), error(shared, layer, sharing));
        }
      }
      if (!worst.isEmpty()) {
        findings.add(
            worst.finding(
                name(sharing) + ": factors", "A, G = moments of layers' rows", Tolerances.EXACT));
      }
    }
    return findings;
  }

  private boolean isWhole(ParameterBlock block) {
    return sample.forms().inputBlocks(block).isWhole()
        && sample.forms().gradientBlocks(block).isWhole();
  }

  /** For tables: K-FAC with a kind of weight sharing. */
  static String name(WeightSharing sharing) {
    return switch (sharing) {
      case KFC -> "kfac";
      case EXPAND -> "kfac expand";
      case REDUCE -> "kfac reduce";
    };
  }

  private static double error(FisherSample shared, LayerFisher layer, WeightSharing sharing) {
    KroneckerBlock kfac =
        KroneckerBlock.of((FactorStatistics) shared.statistics(BlockForm.KRONECKER, layer.block()));
    KroneckerBlock rows = KroneckerBlock.of(layer.rows(), sharing);
    return Math.max(
        Vec.largest(kfac.a().values(), rows.a().values()),
        Vec.largest(kfac.g().values(), rows.g().values()));
  }
}
