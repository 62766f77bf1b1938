package org.kfac4j.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.kfac4j.Problem;
import org.kfac4j.curvature.FisherType;
import org.kfac4j.linalg.Eigen;
import org.kfac4j.linalg.Factorizations;
import org.kfac4j.linalg.LapackFactorizations;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.DenseLayer;
import org.kfac4j.network.Network;
import org.kfac4j.network.SquaredError;

/** Work on layers is done once each, and begun with the costliest. */
class LayerPoolTest {
  private static final double[] COSTS = {2, 7, 1, 8, 2, 8, 1, 8};

  @Test
  void theCostliestIsFirstAndOfEqualOnesTheFirst() {
    List<Integer> begun = Collections.synchronizedList(new ArrayList<>());
    try (LayerPool pool = new LayerPool(1)) {
      pool.forEach(COSTS.length, i -> COSTS[i], begun::add);
    }
    assertThat(begun).containsExactly(3, 5, 7, 1, 0, 4, 2, 6);
  }

  @Test
  void severalThreadsDoEverythingOnce() {
    ConcurrentLinkedQueue<Integer> done = new ConcurrentLinkedQueue<>();
    try (LayerPool pool = new LayerPool(3)) {
      pool.forEach(COSTS.length, i -> COSTS[i], done::add);
      assertThat(done).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
    }
  }

  @Test
  void aFailureIsThrownAsItIsAndThePoolGoesOn() {
    AtomicInteger done = new AtomicInteger();
    try (LayerPool pool = new LayerPool(2)) {
      assertThatThrownBy(
              () ->
                  pool.forEach(
                      3,
                      i -> i,
                      i -> {
                        throw new DivergedException("layer " + i);
                      }))
          .isInstanceOf(DivergedException.class)
          .hasMessageStartingWith("layer ");
      pool.forEach(5, i -> 1, i -> done.incrementAndGet());
      assertThat(done).hasValue(5);
    }
  }

  /** Whoever hears of a failure frees what the others compute with. */
  @Test
  void aFailureIsHeardOfWhenNobodyIsWorkingAnyMore() {
    AtomicInteger done = new AtomicInteger();
    CountDownLatch failing = new CountDownLatch(1);
    try (LayerPool pool = new LayerPool(2)) {
      assertThatThrownBy(
              () ->
                  pool.forEach(
                      4,
                      i -> -i,
                      i -> {
                        if (i == 0) {
                          failing.countDown();
                          throw new DivergedException("layer 0");
                        }
                        try {
                          failing.await();
                          Thread.sleep(20);
                        } catch (InterruptedException e) {
                          throw new IllegalStateException(e);
                        }
                        done.incrementAndGet();
                      }))
          .hasMessage("layer 0");
      assertThat(done).hasValue(3);
    }
  }

  /** Writes down how large the matrices are that are inverted, one after the other. */
  private static final class Recorded implements Factorizations {
    private static final long serialVersionUID = 1L;
    private static final List<Integer> SIZES = Collections.synchronizedList(new ArrayList<>());

    private final Factorizations lapack = new LapackFactorizations();

    @Override
    public Matrix inverse(double[] packed, int n, double shift, Precision precision) {
      SIZES.add(n);
      return lapack.inverse(packed, n, shift, precision);
    }

    @Override
    public Eigen eigen(double[] packed, int n, Precision precision) {
      return lapack.eigen(packed, n, precision);
    }

    @Override
    public Matrix cholesky(double[] packed, int n, Precision precision) {
      return lapack.cholesky(packed, n, precision);
    }
  }

  /** A layer's two factors at a time. */
  @Test
  void curvatureIsInvertedLayerByLayerTheCostliestFirst() {
    Network network =
        Network.of(
            new SquaredError(2, 1),
            new DenseLayer("small", 3, 5, true),
            new DenseLayer("wide", 5, 11, true),
            new DenseLayer("widest", 11, 7, true),
            new DenseLayer("narrow", 7, 2, true));
    Problem problem = Problem.random(3, network, 20);
    Kfac settings =
        Inverted.settings(
            new KfacPreconditioner(),
            FisherType.SAMPLED,
            new DenseMachine(new Recorded(), Precision.DOUBLE, 1));
    Recorded.SIZES.clear();
    Inverted.of(settings, problem, problem.theta(5, 1), 0.1).close();
    // r³ + c³ + 2 r c (r + c): 5263 of 12 × 7, 3791 of 6 × 11, 840 of 8 × 2, 549 of 4 × 5.
    assertThat(Recorded.SIZES).containsExactly(12, 7, 6, 11, 8, 2, 4, 5);
  }
}
