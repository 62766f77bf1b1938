package org.kfac4j.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Settings;
import org.kfac4j.curvature.BlockForm;
import org.kfac4j.curvature.BlockForms;
import org.kfac4j.curvature.Coupling;
import org.kfac4j.curvature.FactorStatistics;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.curvature.WideFactors;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.network.WeightSharing;
import org.kfac4j.optimizer.DenseMachine;
import org.kfac4j.optimizer.DivergedException;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Preconditioner;
import org.kfac4j.optimizer.Preconditioners;

/**
 * Every registered preconditioner's blocks of layers of weights against the exact Fisher blocks of
 * a sample: {@link PreconditionerCheck}. Large blocks are restricted to a random {@link Subspace}.
 * Blocks that are no matrices: {@link ScaleCheck}.
 *
 * <p>What must hold of all: rows give the same vᵀ F v as products, or, where these are of other
 * targets or go through batch normalisation's statistics, which curvature does not, as {@link
 * HeldOutputs}; factors are moments of rows, {@link FactorCheck}; K-FAC's block of a single example
 * of a layer with one position is its Fisher block, A ⊗ G = (ā āᵀ) ⊗ Σ_c g_c g_cᵀ.
 */
public record BlockCheck(
    Sample sample, Objective objective, Settings settings, DenseMachine machine) {
  /** Enough for a few examples' rows; where it is not, that is said. */
  static final int CG_ITERATIONS = 500;

  private static final List<String> OVERRIDES =
      List.of(
          "curvature.cg.tolerance=1e-8",
          "curvature.cg.iterations=" + CG_ITERATIONS,
          "curvature.scalings.source=examples");

  private static final String FACTORS = "kfac: factors";
  private static final String ONE_EXAMPLE = "kfac: exact for one example";

  /** Rows that a factor may have: 128 MB of it. */
  static final int WIDEST = 4096;

  /**
   * @param blocks how good approximations are
   * @param examples of which, for tables
   */
  public record Result(List<Finding> findings, List<BlockQuality> blocks, String examples) {}

  public Result run(double[] theta, long key) {
    Network network = sample.network();
    List<Finding> findings = new ArrayList<>();
    List<BlockQuality> blocks = new ArrayList<>();
    for (ParameterBlock block : network.weightBlocks()) {
      int widest = Math.max(block.rows(), block.columns());
      if (widest > WIDEST) {
        findings.add(
            Finding.notApplicable(
                "blocks",
                "layer %s has a factor of %d × %d, wider than %d"
                    .formatted(block.name(), widest, widest, WIDEST)));
        return new Result(findings, blocks, "");
      }
    }
    try (Objective.Point point = objective.at(theta)) {
      FisherSample fisher = FisherSample.of(sample, point, forms());
      List<LayerFisher> layers =
          network.weightBlocks().stream().map(each -> LayerFisher.of(fisher, each, key)).toList();
      HeldOutputs outputs =
          HeldOutputs.refusal(network) == null ? new HeldOutputs(fisher, theta) : null;
      findings.add(rows(fisher, layers, theta, key, outputs));
      findings.addAll(new ScaleCheck(fisher, machine, key).run(outputs));
      String refused = refusal(fisher.forms());
      if (refused == null) {
        findings.addAll(new FactorCheck(fisher, layers).run());
        findings.add(oneExample(fisher, key));
      } else {
        findings.add(Finding.notApplicable(FACTORS, refused));
        findings.add(Finding.notApplicable(ONE_EXAMPLE, refused));
      }
      Settings converging = settings.with(OVERRIDES);
      for (String entry : Preconditioners.entries()) {
        findings.addAll(check(entry, entry, converging, fisher, layers, key, blocks));
      }
      if (layers.stream().anyMatch(layer -> layer.rows().positions() > 1)) {
        FisherSample reduced = fisher.sharing(WeightSharing.REDUCE);
        String name = FactorCheck.name(WeightSharing.REDUCE);
        findings.addAll(check(name, "kfac factored", converging, reduced, layers, key, blocks));
      }
      return new Result(findings, blocks, fisher.describe());
    }
  }

  /** Why the settings want no Kronecker factors of some layer, or null if they do. */
  private @Nullable String refusal(BlockForms forms) {
    try {
      sample.network().weightBlocks().forEach(forms::checkWidth);
      return null;
    } catch (IllegalArgumentException refused) {
      return String.valueOf(refused.getMessage());
    }
  }

  private BlockForms forms() {
    return new BlockForms(
        BlockForm.KRONECKER,
        Coupling.NONE,
        // Reduced rows make Kronecker factors only: the family's other forms need those of KFC,
        // and K-FAC with reduced ones comes last.
        WeightSharing.KFC,
        BlockForm.EXACT,
        false,
        Integer.MAX_VALUE,
        new WideFactors(
            settings.positiveInt("curvature.widest-factor"),
            settings.choice("curvature.wide-factors", WideFactors.Rule.class)));
  }

  /**
   * @param name of what is checked, for tables
   * @param entry of the table of preconditioners
   */
  private List<Finding> check(
      String name,
      String entry,
      Settings converging,
      FisherSample fisher,
      List<LayerFisher> layers,
      long key,
      List<BlockQuality> blocks) {
    PreconditionerCheck check;
    try {
      Preconditioner preconditioner = Preconditioners.create(entry, converging);
      if (preconditioner.form() == BlockForm.NONE) {
        return List.of(Finding.notApplicable(name, "it keeps nothing of the Fisher matrix"));
      }
      check = new PreconditionerCheck(name, preconditioner, fisher, machine, key);
      check.refuse(layers);
    } catch (IllegalArgumentException refused) {
      return List.of(Finding.notApplicable(name, String.valueOf(refused.getMessage())));
    }
    try {
      check.run(layers);
      blocks.addAll(check.qualities());
      return check.findings();
    } catch (DivergedException | IllegalArgumentException e) {
      return List.of(Finding.failed(name, String.valueOf(e.getMessage())));
    }
  }

  private Finding rows(
      FisherSample fisher,
      List<LayerFisher> layers,
      double[] theta,
      long key,
      @Nullable HeldOutputs outputs) {
    String check = "Fisher blocks";
    if (fisher.fisher() == FisherType.EXACT && sample.network().statistics().isEmpty()) {
      return rowsAgainstProducts(check, fisher, layers, theta, key);
    }
    return outputs == null
        ? Finding.notApplicable(check, String.valueOf(HeldOutputs.refusal(sample.network())))
        : rowsAgainstOutputs(check, fisher, layers, key, outputs);
  }

  private static Finding rowsAgainstOutputs(
      String check, FisherSample fisher, List<LayerFisher> layers, long key, HeldOutputs outputs) {
    Differences differences = new Differences(Tolerances.DIFFERENCES);
    Worst worst = new Worst();
    for (LayerFisher layer : layers) {
      ParameterBlock block = layer.block();
      double[] v = outputs.direction(block, key + block.index());
      double product = layer.rows().product(Arrays.copyOfRange(v, block.offset(), block.end()));
      worst.add(block.name(), outputs.error(v, product, 0, differences));
    }
    return worst.finding(
        check,
        "v'Fv of layers' rows = differences of %s%s, %s"
            .formatted(outputs.describe(), differences.note(), fisher.describe()),
        Tolerances.DIFFERENCES);
  }

  private Finding rowsAgainstProducts(
      String check, FisherSample fisher, List<LayerFisher> layers, double[] theta, long key) {
    List<double[]> directions = new ArrayList<>();
    for (LayerFisher layer : layers) {
      ParameterBlock block = layer.block();
      double[] v = new double[theta.length];
      double[] part = Vec.normal(key + block.index(), block.shape().size());
      System.arraycopy(part, 0, v, block.offset(), part.length);
      directions.add(v);
    }
    Sums sums =
        fisher
            .point()
            .evaluate(new Request.Products(fisher.batch(), directions.size()), directions);
    Worst worst = new Worst();
    for (int i = 0; i < layers.size(); i++) {
      ParameterBlock block = layers.get(i).block();
      double product = sums.scalar(SumNames.product(i, i)) / sums.scalar(SumNames.COUNT);
      double[] v = Arrays.copyOfRange(directions.get(i), block.offset(), block.end());
      double expected = layers.get(i).rows().product(v);
      worst.add(block.name(), Vec.ratio(Math.abs(product - expected), expected));
    }
    return worst.finding(
        check, "v'Fv of layers' rows = products, " + fisher.describe(), Tolerances.EXACT);
  }

  private Finding oneExample(FisherSample fisher, long key) {
    FisherSample one = fisher.ofOne();
    Worst worst = new Worst();
    for (ParameterBlock block : sample.network().weightBlocks()) {
      boolean whole =
          fisher.forms().inputBlocks(block).isWhole()
              && fisher.forms().gradientBlocks(block).isWhole();
      if (!whole || sample.network().layers().get(block.layer()).outputShape().positions() > 1) {
        continue;
      }
      LayerFisher layer = LayerFisher.of(one, block, key);
      KroneckerBlock kfac =
          KroneckerBlock.of((FactorStatistics) one.statistics(BlockForm.KRONECKER, block));
      worst.add(block.name(), Vec.relative(kfac.restricted(layer.subspace()), layer.restricted()));
    }
    return worst.isEmpty()
        ? Finding.notApplicable(
            ONE_EXAMPLE, "no layer of weights has one position and whole factors")
        : worst.finding(ONE_EXAMPLE, "A ⊗ G = F of layers with one position", Tolerances.EXACT);
  }
}
