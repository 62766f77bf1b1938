package org.kfac4j.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.kfac4j.Check;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.curvature.PartitionPass;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Network;
import org.kfac4j.optimizer.Objective;
import org.kfac4j.optimizer.Phases;

/**
 * An objective over examples in this JVM's memory, in any number of partitions, one after the
 * other; no Spark.
 */
public final class LocalObjective implements Objective {
  private final Network network;
  private final ComputeBackend backend;
  private final Precision precision;
  private final List<List<Examples>> partitions;
  private final Augmentation augmentation;
  private final long size;
  private final Phases phases = new Phases();

  /**
   * @param partitions blocks of examples; together ids 0 … N − 1, each once
   */
  public LocalObjective(
      Network network,
      ComputeBackend backend,
      Precision precision,
      List<List<Examples>> partitions) {
    this(network, backend, precision, partitions, Augmentation.NONE);
  }

  /** As {@link #LocalObjective(Network, ComputeBackend, Precision, List)}, on changed images. */
  public LocalObjective(
      Network network,
      ComputeBackend backend,
      Precision precision,
      List<List<Examples>> partitions,
      Augmentation augmentation) {
    this.augmentation = augmentation;
    this.network = network;
    this.backend = backend;
    this.precision = precision;
    this.partitions = partitions;
    this.size = partitions.stream().flatMap(List::stream).mapToLong(Examples::count).sum();
    Check.that(size >= 1, "an objective needs at least one example");
  }

  /** Reads {@code source} into {@code count} partitions of nearly equal size. */
  public static List<List<Examples>> read(DataSource source, int count) {
    List<List<Examples>> partitions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long from = source.size() * i / count;
      long to = source.size() * (i + 1) / count;
      try {
        partitions.add(from == to ? List.of() : List.of(source.read(from, to)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return partitions;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public Phases phases() {
    return phases;
  }

  private record Prepared(List<Parameters> vectors) implements Vectors {
    @Override
    public void close() {
      // The vectors are garbage.
    }
  }

  @Override
  public Vectors prepare(List<double[]> vectors) {
    return new Prepared(vectors.stream().map(vector -> new Parameters(vector, precision)).toList());
  }

  @Override
  public Point at(double[] theta) {
    Parameters weights = new Parameters(theta, precision);
    return new Point() {
      @Override
      public Sums evaluate(Request request, List<double[]> vectors) {
        return evaluate(request, prepare(vectors));
      }

      @Override
      public Sums evaluate(Request request, Vectors vectors) {
        List<Parameters> prepared =
            vectors instanceof Prepared own ? own.vectors : List.<Parameters>of();
        Sums total = new Sums();
        for (List<Examples> partition : partitions) {
          total.merge(
              phases.time(
                  "map",
                  () ->
                      PartitionPass.run(
                          backend,
                          network,
                          request,
                          weights,
                          prepared,
                          augmentation,
                          partition.iterator())));
        }
        return total;
      }

      @Override
      public void close() {
        // The weights are garbage.
      }
    };
  }

  @Override
  public void close() {
    backend.release();
  }
}
