package org.kfac4j.verify;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.SumNames;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Batch;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.network.Network.ParameterBlock;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.training.LocalObjective;

/**
 * Sums over one partition against those over several: equal up to rounding, because which examples
 * are in a batch, and which targets are sampled for them, does not depend on partitions. Batch
 * normalisation takes its statistics of blocks, so blocks are a quarter of the examples and
 * partitions end with one.
 */
public record PartitionCheck(Network network, DataSource examples, int threads) {
  private static final int BLOCKS = 4;
  private static final int ROWS = 1024;

  /** Examples that go into the blocks: the first ones of {@code source}, a multiple of 4. */
  public static PartitionCheck of(Network network, DataSource source, int threads) {
    return new PartitionCheck(network, new First(source, source.size() / BLOCKS * BLOCKS), threads);
  }

  /** The first examples of a source. */
  private record First(DataSource source, long size) implements DataSource {
    @Override
    public String name() {
      return source.name();
    }

    @Override
    public ExampleShape shape() {
      return source.shape();
    }

    @Override
    public Examples read(long from, long to) throws IOException {
      return source.read(from, to);
    }
  }

  /** What tasks compute with, whichever partitions there are. */
  public Nd4jBackend backend() {
    return new Nd4jBackend(
        Precision.DOUBLE, ROWS, Math.toIntExact(examples.size() / BLOCKS), threads);
  }

  /** Partitions of which each ends with a block, {@code wanted} if possible. */
  public int partitions(int wanted) {
    return network.statistics().isEmpty()
        ? (int) Math.max(1, Math.min(wanted, examples.size()))
        : BLOCKS;
  }

  /** In this JVM: one partition against two and four. */
  public List<Finding> run(double[] theta, long key) {
    List<Finding> findings = new ArrayList<>();
    for (int count : new int[] {2, 4}) {
      try (LocalObjective many = local(count)) {
        findings.add(compare("partitions", count + " partitions", many, theta, key));
      }
    }
    return findings;
  }

  private LocalObjective local(int count) {
    return new LocalObjective(
        network, backend(), Precision.DOUBLE, LocalObjective.read(examples, count));
  }

  /**
   * One partition in this JVM against any objective over the same examples, with {@link #backend}.
   *
   * @param what the others are
   */
  public Finding compare(String check, String what, Objective many, double[] theta, long key) {
    try (LocalObjective one = local(1)) {
      Worst worst = new Worst("sum");
      Batch all = Batch.everything(examples.size());
      // Whole factors of wide layers would fill the memory of those who keep none of them.
      boolean factors =
          network.weightBlocks().stream()
              .allMatch(block -> Math.max(block.rows(), block.columns()) <= BlockCheck.WIDEST);
      Request.Statistics statistics =
          factors ? new Request.Statistics(all, FisherType.SAMPLED, key) : null;
      Request gradient = new Request.Gradient(all, statistics);
      compare(
          sums(one, theta, gradient, List.of()),
          sums(many, theta, gradient, List.of()),
          factors,
          worst);
      List<double[]> directions = List.of(direction(theta, key, 1), direction(theta, key, 2));
      Request products = new Request.Products(all, directions.size());
      compareScalars(
          sums(one, theta, products, directions), sums(many, theta, products, directions), worst);
      return worst.finding(
          check,
          "loss, gradient, %sproducts of %s = of one, %d examples"
              .formatted(factors ? "factors, " : "", what, examples.size()),
          Tolerances.SUMS);
    }
  }

  private double[] direction(double[] theta, long key, int which) {
    double[] direction = new double[theta.length];
    for (ParameterBlock block : network.blocks()) {
      for (int i = block.offset(); i < block.end(); i++) {
        direction[i] = Hashing.normal(Hashing.key(key, which), i);
      }
    }
    return direction;
  }

  private static Sums sums(
      Objective objective, double[] theta, Request request, List<double[]> vectors) {
    try (Objective.Point point = objective.at(theta)) {
      return point.evaluate(request, vectors);
    }
  }

  private void compare(Sums one, Sums many, boolean factors, Worst worst) {
    compareScalars(one, many, worst);
    List<String> vectors = new ArrayList<>(List.of(SumNames.GRADIENT));
    for (ParameterBlock block : factors ? network.weightBlocks() : List.<ParameterBlock>of()) {
      vectors.add(SumNames.inputs(block));
      vectors.add(SumNames.gradients(block));
    }
    for (String name : vectors) {
      worst.add(name, Vec.relative(many.mean(name, 1), one.mean(name, 1)));
    }
  }

  private static void compareScalars(Sums one, Sums many, Worst worst) {
    one.forEachScalar(
        (name, value) -> {
          if (!name.startsWith(Sums.MAXIMUM)) {
            double error = Math.abs(many.scalar(name) - value);
            worst.add(name, Vec.ratio(error, Math.abs(value)));
          }
        });
  }
}
