package org.kfac4j.linalg;

/**
 * A matrix could not be factorised: not positive definite in the precision at hand, or not finite.
 */
public final class FactorizationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FactorizationException(String message) {
    super(message);
  }
}
