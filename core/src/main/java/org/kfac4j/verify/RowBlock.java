package org.kfac4j.verify;

/** The layer's Fisher block itself, as products with its rows: CG-FAC's Fisher operator. */
record RowBlock(LayerRows rows) implements ApproximateBlock {
  @Override
  public double trace() {
    return rows.trace();
  }

  @Override
  public double[] times(double[] v) {
    return rows.times(v);
  }

  @Override
  public double[] restricted(Subspace subspace) {
    return rows.projected(subspace.inputs(), subspace.gradients()).fisher();
  }
}
