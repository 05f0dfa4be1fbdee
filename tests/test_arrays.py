"""Programs that change arrays in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import gradient, trace

V = np.array([0.5, 1.2, -0.7, 0.3, 2.0])
M = np.arange(12.0).reshape(3, 4) / 7 + 0.2


class Holder:
    def __init__(self, a: Any):
        self.a = a


CASES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "store": (
        """
def f(x):
    y=np.zeros(3)
    y[0]=x[0]*x[1]
    y[1]=y[0]*x[2]
    y[0]=x[3]
    return np.sum(y*y)
""",
        (V,),
    ),
    "cum": (
        """
def f(x):
    y=np.zeros(5)
    y[0]=x[0]
    for i in range(1,5):
        y[i]=0.5*y[i-1]*x[i]+x[i]**2
    return np.sum(y*y)
""",
        (V,),
    ),
    "heat": (
        """
def f(u):
    u=u.copy()
    for t in range(3):
        u[1:-1] += 0.1*(u[2:]-2*u[1:-1]+u[:-2])
    return np.sum(u**2)
""",
        (V,),
    ),
    "heat_arg": (
        """
def f(u):
    for t in range(3):
        u[1:-1] += 0.1*u[1:-1]*(u[2:]-2*u[1:-1]+u[:-2])
    return np.sum(u**2)
""",
        (V,),
    ),
    "jac": (
        """
def f(A):
    B=np.zeros_like(A)
    A=A*1.0
    for t in range(3):
        B[1:-1]=0.33*(A[:-2]+A[1:-1]*A[2:])
        A,B=B,A
    return np.sum(A*A)
""",
        (V,),
    ),
    "view": (
        """
def f(x):
    y=x.copy()
    v=y[1:4]
    w=v[::-1]
    w[0]=x[0]*5
    y[2]*=x[1]
    return np.sum(v*v)+np.sum(y)
""",
        (V,),
    ),
    "reshape": (
        """
def f(x):
    y=x*2
    z=y.reshape(4,3)
    z[1,:]=x[0,0]*x[1,:3]
    return np.sum(y**2)
""",
        (M,),
    ),
    "T": (
        """
def f(x):
    y=x*2
    z=y.T
    z[1,:]*=z[0,:]
    r=z.ravel()
    r[0]=7.0
    return np.sum(y**2)+np.sum(r**2)
""",
        (M,),
    ),
    "adv": (
        """
def f(x):
    y=x*1.0
    i=np.array([0,2,0])
    y[i]=x[1:4]*x[0]
    y[i]+=x[2]
    m=y>0.5
    y[m]=y[m]**2
    return np.sum(y*y)
""",
        (V,),
    ),
    "addat": (
        """
def f(x):
    y=np.zeros(3)
    i=np.array([0,2,0,1,2])
    np.add.at(y,i,x*x)
    return np.sum(y**2)
""",
        (V,),
    ),
    "alias": (
        """
def f(x):
    a=[x*1.0, x*2.0]
    b=a[0]
    b[1]=x[0]**2
    a[1][0]=b[1]
    return np.sum(a[0]*a[1])
""",
        (V,),
    ),
    "obj": (
        """
def f(x):
    q=Holder(x.copy())
    q.a[1:]*=q.a[0]
    q.a+=1.0
    return np.sum(q.a**2)
""",
        (V,),
    ),
    "callee": (
        """
def g(y,x):
    y[0]=x[1]*y[0]
    y*=2
def f(x):
    y=x.copy()
    g(y,x)
    g(y[1:],y)
    return np.sum(y*x)
""",
        (V,),
    ),
    "branch": (
        """
def f(x):
    y=np.empty(5)
    if x[0]>0:
        y[:]=x*x
        z=y
    else:
        z=x*3
    z[1]=z[0]*z[2]
    return np.sum(y*z)
""",
        (V,),
    ),
    "out": (
        """
def f(x):
    y=np.empty(5)
    np.multiply(x,x,out=y)
    np.add(y,x,y)
    np.sin(y,out=y)
    return np.sum(y)
""",
        (V,),
    ),
    "fills": (
        """
def f(x):
    y=np.ones(5)
    y.fill(x[0])
    np.copyto(y,x*x,where=x>0.4)
    np.put(y,[1],x[3])
    y.flat[2]=x[4]*y[2]
    return np.sum(y*x)
""",
        (V,),
    ),
    "diag": (
        """
def f(x):
    y=x@x.T
    np.fill_diagonal(y,x[0,0])
    y[np.triu_indices(3)]*=2
    return np.sum(y*y)
""",
        (M,),
    ),
    "sortin": (
        """
def f(x):
    y=x*x
    y.sort()
    return np.sum(y*np.arange(5.))
""",
        (V,),
    ),
    "scalars": (
        """
def f(A):
    A=A[:,:3].copy()+3*np.eye(3)
    for k in range(3):
        for i in range(k+1,3):
            A[i,k]/=A[k,k]
            for j in range(k+1,3):
                A[i,j]-=A[i,k]*A[k,j]
    return np.sum(A**2)
""",
        (M,),
    ),
    "rows": (
        """
def f(A):
    A=A.copy()
    for r in A:
        r[0]=r[1]*r[2]
    a,b,c=A
    a[1]=b[0]*c[0]
    return np.sum(A**2)
""",
        (M,),
    ),
    "stackl": (
        """
def f(x):
    rows=[]
    r=np.zeros(5)
    for i in range(3):
        r=r*1.0
        r[i]=x[i]*x[4]
        rows.append(r)
    return np.sum(np.stack(rows)**2)
""",
        (V,),
    ),
    "overlap": (
        """
def f(x):
    y=x.copy()
    y[1:]=y[:-1]*y[1:]
    y[::-1][1:]+=y[1:]
    return np.sum(y**3)
""",
        (V,),
    ),
    "two": (
        """
def f(x,y):
    x[0]=y[1]
    y[2]=x[0]*x[3]
    return np.sum(x*y)
""",
        (V, V[::-1].copy()),
    ),
    "ret": (
        """
def f(x):
    y=x*x
    y[0]=x[1]
    return y
""",
        (V,),
    ),
    "dbl": (
        """
def f(x):
    y=np.zeros((3,3))
    y[1]=x[:3]
    y[:,1]+=x[1:4]
    y[1,1]=y[0,1]*y[1,0]
    return np.sum(y@y)
""",
        (V,),
    ),
    "put_where_places_repeat": (
        """
def f(x):
    y=np.zeros(4)
    np.put(y, [0, 0, 1], x[:3])
    y[[2, 2]]=x[1:3]
    return np.sum(y*y)
""",
        (V,),
    ),
    "view_by_method": (
        """
def f(x):
    y=x*2
    z=y.view()
    z[0]=x[1]*x[2]
    return np.sum(y*y)
""",
        (V,),
    ),
    "minus_itself": (
        """
def f(x):
    y=x*2
    y-=y+np.sin(y)
    y[1:]-=y[1:]*x[0]
    return np.sum(y*y)
""",
        (V,),
    ),
    "shuffled_outer_and_reduced": (
        """
def f(x):
    y=np.add.outer(x, x[:2])
    y[0]=np.sin(np.multiply.reduce(y*0.3))
    return np.sum(np.add.accumulate(y)**2)
""",
        (V,),
    ),
}
SCOPE = {"Holder": Holder, "gradient": gradient}


@pytest.mark.parametrize("name", CASES)
def test_changes_in_place(name: str) -> None:
    text, args = CASES[name]
    check(define(text, scope=SCOPE), *args)


@pytest.mark.parametrize("name", CASES)
def test_changes_in_place_to_second_order(name: str) -> None:
    text, args = CASES[name]
    names = ", ".join("xy"[: len(args)])
    text += f"\ndef h({names}):\n    result = f({names})\n    return np.sum(result)\n"
    text += f"\ndef twice({names}):\n    found = gradient(h, {names})\n"
    text += "    return sum([np.sum(np.sin(g) * g) for g in found])\n"
    check(define(text, "twice", scope=SCOPE), *args)


def test_a_recording_shows_the_versions_of_a_buffer() -> None:
    f = define("def f(u):\n    w = u * 2\n    w[0] = u[1]\n    w[1] *= 3\n    return np.sum(w * w)")
    found = trace(f, np.array([1.0, 2.0]))
    told = [(n.label, n.value and n.value.text, n.sensitivity) for n in found.nodes]
    assert told[0] == ("u", "[1. 2.]", 148.0)
    assert told[1] == ("w = u * 2", "[2. 4.]", 72.0)
    assert told[3] == ("w[0]", "[2. 4.]", pytest.approx(np.hypot(4, 72)))
    assert told[6] == ("w[1]", "[ 2. 12.]", pytest.approx(np.hypot(4, 24)))


@pytest.mark.parametrize(
    "body",
    [
        "z = x[np.argsort(x)]\n    z[0] *= 2\n    return z @ x",
        "z = (2 * x)[np.array([0, 2, 1])][::-1]\n    z[1:] = z[:-1] * x[0]\n    return z @ x",
        "z = x[x > 0]\n    z += 1\n    z[-1] = 3 * x[1]\n    return z @ z",
        "z = x[[0, 0, 1]]\n    np.add.at(z, [0, 0], x[2])\n    return z @ x",
    ],
)
def test_a_selection_of_an_argument_is_changed(body: str) -> None:
    check(define(f"def f(x):\n    {body}"), np.array([0.2, -0.4, 0.7]))
