package org.kfac4j.verify;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.BlockStatistics;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.CouplingMoments;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.Objective;

/**
 * Statistics of curvature of the same few examples and targets, in every form that is asked for.
 *
 * @param batch the examples
 * @param fisher where their targets come from: {@link FisherType#EXACT} where outputs are few
 * @param forms what all forms have in common: weight sharing, wide factors
 */
record FisherSample(
    Sample sample,
    Objective.Point point,
    Batch batch,
    FisherType fisher,
    BlockForms forms,
    Map<BlockForm, Sums> known) {
  /** Outputs up to which the expectation over targets is taken exactly. */
  private static final int FEW_OUTPUTS = 32;

  /** Numbers of all layers' rows together, 128 MB of them: time more than memory. */
  private static final long NUMBERS = 1L << 24;

  /** Key of sampled targets. */
  static final long TARGETS = 0x6b666163;

  /** As many of the sample's examples, at random, as that many numbers allow. */
  static FisherSample of(Sample sample, Objective.Point point, BlockForms forms) {
    Network network = sample.network();
    boolean few = network.loss().fisherVectors() <= FEW_OUTPUTS;
    long passes = few ? network.loss().fisherVectors() : 1;
    long each = 0;
    for (ParameterBlock block : network.weightBlocks()) {
      long positions = network.layers().get(block.layer()).outputShape().positions();
      each += positions * (block.rows() + passes * block.columns());
    }
    long count = Math.max(1, Math.min(sample.count(), NUMBERS / Math.max(1, each)));
    return new FisherSample(
        sample,
        point,
        new Batch(sample.count(), 0, 0, count),
        few ? FisherType.EXACT : FisherType.SAMPLED,
        forms,
        new EnumMap<>(BlockForm.class));
  }

  /** The same of one example only. */
  FisherSample ofOne() {
    Batch one = new Batch(sample.count(), 0, 0, 1);
    return new FisherSample(sample, point, one, fisher, forms, new EnumMap<>(BlockForm.class));
  }

  /** The same with another kind of weight sharing. */
  FisherSample sharing(WeightSharing sharing) {
    return sharing == forms.sharing() ? this : with(sharing, forms.scales());
  }

  /** The same with another form of scales. */
  FisherSample scales(BlockForm scales) {
    return with(forms.sharing(), scales);
  }

  private FisherSample with(WeightSharing sharing, BlockForm scales) {
    BlockForms other =
        new BlockForms(
            forms.weights(),
            forms.coupling(),
            sharing,
            scales,
            forms.strict(),
            forms.rows(),
            forms.wide());
    return new FisherSample(sample, point, batch, fisher, other, new EnumMap<>(BlockForm.class));
  }

  /** For tables. */
  String describe() {
    return "%d example%s, %s"
        .formatted(
            batch.count(),
            batch.count() == 1 ? "" : "s",
            fisher == FisherType.EXACT ? "exact expectation" : "one sampled target each");
  }

  private Request.Statistics asked(BlockForm form, boolean factors) {
    return asked(forms.withWeights(form, forms.coupling()), factors);
  }

  private Request.Statistics asked(BlockForms of, boolean factors) {
    return new Request.Statistics(batch, fisher, TARGETS, of, factors, !factors);
  }

  /** Sums of a form, computed once. */
  Sums sums(BlockForm form) {
    Sums found = known.get(form);
    if (found == null) {
      found = point.evaluate(new Request.Curvature(asked(form, true)));
      known.put(form, found);
    }
    return found;
  }

  /** Sums of squared projections in {@code bases}, U_Aᵀ and U_Gᵀ of one block after the other. */
  Sums scalings(BlockForm form, List<double[]> bases) {
    return point.evaluate(new Request.Curvature(asked(form, false)), bases);
  }

  /** What is kept between layers, with blocks in a form. */
  CouplingMoments coupling(BlockForm form, Coupling coupling) {
    CouplingMoments moments = new CouplingMoments(coupling, sample.network());
    Request.Statistics asked = asked(forms.withWeights(form, coupling), true);
    moments.update(point.evaluate(new Request.Curvature(asked)), 0);
    return moments;
  }

  /** What is kept of a block in a form. */
  BlockStatistics statistics(BlockForm form, ParameterBlock block) {
    BlockForms of = forms.withWeights(form, forms.coupling());
    BlockStatistics statistics = BlockStatistics.zeros(sample.network(), block, of, 1);
    statistics.update(sums(form), block, 0);
    return statistics;
  }

  LayerRows rows(ParameterBlock block) {
    return LayerRows.of(sums(BlockForm.ROWS), sample.network(), block);
  }
}
